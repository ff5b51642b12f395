namespace Puna.Runtime.Constraints;

/// <summary>What a generated text has to look like, compiled for one vocabulary. Immutable, and shared by any number of generations on any threads.</summary>
public interface ITokenConstraint
{
    /// <summary>Begins a text.</summary>
    ConstraintState Start();
}
