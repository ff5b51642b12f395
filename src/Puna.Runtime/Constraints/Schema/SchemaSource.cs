using System.Text.Json;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>A subschema where it is written, or one made from others while compiling.</summary>
internal sealed class SchemaSource(JsonElement element, string pointer, int depth, bool isMade)
{
    public JsonElement Element { get; } = element;

    /// <summary>JSON pointer from the root of the schema; made-up ones begin with the pointer of what they were made from.</summary>
    public string Pointer { get; } = pointer;

    /// <summary>How many times this was made from something made.</summary>
    public int Depth { get; } = depth;

    /// <summary>Whether this, or what it is a part of, was made.</summary>
    public bool IsMade { get; } = isMade;

    /// <summary>What else must hold, and what must hold in one of several ways; null until read.</summary>
    public List<int>? Conjuncts { get; set; }

    public List<int[]>? Alternatives { get; set; }

    /// <summary>Which entry of <see cref="Alternatives"/> is <c>oneOf</c>, or -1.</summary>
    public int OneOf { get; set; } = -1;

    /// <summary>The alternatives with those of <c>oneOf</c> made to exclude one another; null until asked for.</summary>
    public List<int[]>? Exclusive { get; set; }
}
