namespace Puna.Runtime.Constraints.Machines;

/// <summary>One reading of the text so far.</summary>
/// <param name="frame">What is open.</param>
/// <param name="mode">What the machine is about to read; its meaning is the machine's.</param>
/// <param name="payload">The part of the constraint being read.</param>
/// <param name="q">A state within that part.</param>
/// <param name="partial">What has been read of a character (<see cref="Automata.CharacterDecoder"/>).</param>
/// <param name="key">What has been read of a name that must not occur twice.</param>
internal sealed class Configuration(Frame? frame, int mode, object? payload, int q, long partial = 0, string? key = null) : IEquatable<Configuration>
{
    private readonly int _hash = HashCode.Combine(frame?.Hash, mode, payload is null ? 0 : System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(payload), q, partial, key);

    public Frame? Frame { get; } = frame;

    public int Mode { get; } = mode;

    public object? Payload { get; } = payload;

    public int Q { get; } = q;

    public long Partial { get; } = partial;

    public string? Key { get; } = key;

    public bool Equals(Configuration? other) =>
        other is not null && _hash == other._hash && Mode == other.Mode && Q == other.Q && Partial == other.Partial && ReferenceEquals(Payload, other.Payload)
        && Key == other.Key && Machines.Frame.Same(Frame, other.Frame);

    public override bool Equals(object? obj) => Equals(obj as Configuration);

    public override int GetHashCode() => _hash;
}
