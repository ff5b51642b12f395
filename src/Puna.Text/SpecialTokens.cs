using System.Collections.Frozen;

namespace Puna.Text;

/// <summary>
/// Which special tokens may be recognised in the characters of a text. Text from users is encoded with <see cref="None"/>: a typed
/// <c>&lt;|eot_id|&gt;</c> is then ordinary characters and cannot end a turn.
/// </summary>
public sealed class SpecialTokens
{
    private readonly FrozenSet<string>? _names;

    private SpecialTokens(FrozenSet<string>? names) => _names = names;

    /// <summary>No special token is recognised; the default everywhere.</summary>
    public static SpecialTokens None { get; } = new(FrozenSet<string>.Empty);

    /// <summary>Every special token is recognised.</summary>
    public static SpecialTokens All { get; } = new((FrozenSet<string>?)null);

    /// <summary>Whether no name at all is allowed.</summary>
    public bool IsNone => _names is { Count: 0 };

    /// <summary>Whether every name is allowed.</summary>
    public bool IsAll => _names is null;

    /// <summary>Only the special tokens with these texts (for example <c>&lt;|image|&gt;</c>) are recognised; names the tokenizer lacks have no effect.</summary>
    public static SpecialTokens Only(params IEnumerable<string> names) => new(names.ToFrozenSet(StringComparer.Ordinal));

    /// <summary>Whether the special token with this text may be recognised.</summary>
    public bool Allows(string name) => _names is null || _names.Contains(name);
}
