namespace Puna.Runtime.Constraints.Schema;

/// <summary>The values that fulfil a set of subschemas together: those of any branch.</summary>
internal sealed class SchemaNode(int[] sources)
{
    /// <summary>The subschemas, by number, in order.</summary>
    public int[] Sources { get; } = sources;

    public List<SchemaBranch>? Branches { get; set; }

    /// <summary>Whether some value of finite depth fulfils it.</summary>
    public bool Possible { get; set; }
}
