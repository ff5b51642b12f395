namespace Puna.Runtime.Constraints;

/// <summary>A constraint that keeps more the more texts it has met.</summary>
internal interface IMeasuredConstraint : ITokenConstraint
{
    /// <summary>About how many bytes it keeps of what it has met; any thread.</summary>
    long MetBytes { get; }
}
