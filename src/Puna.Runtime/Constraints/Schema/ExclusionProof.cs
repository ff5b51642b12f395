namespace Puna.Runtime.Constraints.Schema;

/// <summary>
/// Proves that no value fulfils some subschemas together. It looks at nodes that take <c>oneOf</c> for <c>anyOf</c>: these hold all values the true ones do, so that what is impossible there is
/// impossible, and no proof waits for another one, however a schema refers to itself.
/// </summary>
internal sealed class ExclusionProof(SchemaNodes nodes, CompileBudget budget)
{
    // How many values within one another are looked at.
    private const int MaxDepth = 6;

    private readonly HashSet<SchemaNode> _impossible = [];
    private readonly Dictionary<SchemaNode, int> _unproved = []; // and how deep was looked

    /// <summary>Whether it can be proved that no value fulfils all of the subschemas.</summary>
    public bool Excludes(int[] sources) => IsImpossible(nodes.Of(sources), MaxDepth);

    private bool IsImpossible(SchemaNode node, int depth)
    {
        if (_impossible.Contains(node))
        {
            return true;
        }

        if (depth < 0 || _unproved.GetValueOrDefault(node, -1) >= depth)
        {
            return false;
        }

        budget.Tick("oneOf");
        nodes.Expand(node);
        foreach (SchemaBranch branch in node.Branches!)
        {
            if (!IsImpossible(branch, depth))
            {
                _unproved[node] = depth;
                return false;
            }
        }

        _impossible.Add(node);
        return true;
    }

    private bool IsImpossible(SchemaBranch branch, int depth) =>
        !branch.Null && !branch.True && !branch.False && branch.Number is null && branch.String is null
        && (branch.Array is null || branch.Array.Min > branch.Array.Max || ContainerShapes.NeededItems(branch.Array).Exists(item => IsImpossible(item, depth - 1)))
        && (branch.Object is null || ContainerShapes.NeededValues(branch.Object).Exists(value => IsImpossible(value, depth - 1)));
}
