namespace Puna.Runtime.Constraints;

/// <summary>What generated text must match, compiled for one vocabulary. Immutable to callers and shared by any number of requests.</summary>
public interface ITokenConstraint
{
    /// <summary>The state of a request that has generated nothing yet.</summary>
    ConstraintState Start();
}
