using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// Takes the tensors of a Llama 4 part to pieces (spec llama4.md 5.1): queries, keys and values are in one, as are gate and up of dense layers and the matrices of all experts, those as
/// <c>[in, out]</c>. Pieces are views of the same bytes and go together with those of other parts as in earlier generations; an expert's way down, of which a part holds some inputs of every
/// expert, included.
/// </summary>
internal static class Llama4Parts
{
    // Many times those of any release: a file cannot make more names than it has values.
    private const int MostExperts = 1 << 14;

    /// <summary>The pieces of a tensor under the names of Meta's modules: nothing where it is no parameter, the tensor itself where it is whole.</summary>
    /// <param name="entry">The tensor.</param>
    /// <param name="entries">All tensors of the part.</param>
    /// <param name="parameters">Numbers of heads; null leaves queries, keys and values together.</param>
    /// <param name="parts">Model-parallel parts.</param>
    /// <param name="file">For messages.</param>
    public static IEnumerable<TorchShard.Entry> Split(
        TorchShard.Entry entry, IReadOnlyDictionary<string, TorchShard.Entry> entries, MetaParams? parameters, int parts, string file)
    {
        string stem = entry.Name.EndsWith(".weight", StringComparison.Ordinal) ? entry.Name[..^".weight".Length] : entry.Name;
        int dot = stem.LastIndexOf('.');
        string layer = stem[..(dot + 1)];
        switch (stem[(dot + 1)..])
        {
            case "running_gate_stats_3E" or "global_gate_stats_3E" or "expert_activation_DE":
                return []; // statistics of the training
            case "layer_norm_weight" when layer.EndsWith(".attention.wqkv.", StringComparison.Ordinal):
                return [entry with { Name = $"{layer[..^"attention.wqkv.".Length]}attention_norm.weight" }];
            case "layer_norm_weight" when layer.EndsWith(".feed_forward.mlp.", StringComparison.Ordinal):
                return [entry with { Name = $"{layer[..^"feed_forward.mlp.".Length]}ffn_norm.weight" }];
            case "norm" when layer.EndsWith(".feed_forward.", StringComparison.Ordinal):
                return [entry with { Name = $"{layer[..^"feed_forward.".Length]}ffn_norm.weight" }];
            case "wqkv" when parameters is not null:
                long head = parameters.Dim / parameters.NHeads;
                long queries = parameters.NHeads * head / parts;
                long rest = Rows(entry, file) - queries;
                return rest > 0 && rest % 2 == 0
                    ? [Slice(entry, layer + "wq.weight", 0, queries), Slice(entry, layer + "wk.weight", queries, rest / 2), Slice(entry, layer + "wv.weight", queries + (rest / 2), rest / 2)]
                    : throw new FileFormatException(file, $"tensor {entry.Name}: expected {queries} rows of queries and as many of keys as of values, got {entry.Shape}", entry.Offset);
            case "fc1_weight" when layer.EndsWith(".mlp.", StringComparison.Ordinal):
                long half = Rows(entry, file) / 2;
                layer = layer[..^"mlp.".Length];
                return [Slice(entry, layer + "w1.weight", 0, half), Slice(entry, layer + "w3.weight", half, half)];
            case "fc2_weight" when layer.EndsWith(".mlp.", StringComparison.Ordinal):
                return [entry with { Name = $"{layer[..^"mlp.".Length]}w2.weight" }];
            case "router_DE":
                return [Transposed(entry, layer + "router.weight", 0, Rows(entry, file))];
            case "w_in_shared_FD":
                return [entry with { Name = layer + "shared_expert.w1.weight" }];
            case "w_swiglu_FD":
                return [entry with { Name = layer + "shared_expert.w3.weight" }];
            case "w_out_shared_DF":
                return [entry with { Name = layer + "shared_expert.w2.weight" }];
            case "moe_w_in_eD_F" when layer.EndsWith(".experts.", StringComparison.Ordinal):
                return Experts(entry, layer, "w1", entries, file);
            case "moe_w_swiglu_eD_F" when layer.EndsWith(".experts.", StringComparison.Ordinal):
                return Experts(entry, layer, "w3", entries, file);
            case "moe_w_out_eF_D" when layer.EndsWith(".experts.", StringComparison.Ordinal):
                return Experts(entry, layer, "w2", entries, file);
            default:
                return [entry];
        }
    }

    /// <summary>The matrices of all experts, whose rows follow each other expert by expert, each turned to <c>[out, in]</c>.</summary>
    private static List<TorchShard.Entry> Experts(TorchShard.Entry entry, string layer, string matrix, IReadOnlyDictionary<string, TorchShard.Entry> entries, string file)
    {
        string owner = layer[..^"experts.".Length];
        TorchShard.Entry? router = entries.GetValueOrDefault(owner + "router_DE") ?? entries.GetValueOrDefault(owner + "router_DE.weight");
        long experts = router is { Shape.Rank: 2 } ? router.Shape[1] : 0;
        long rows = Rows(entry, file);
        if (experts is < 1 or > MostExperts || rows % experts != 0 || entry.Shape.Count == 0)
        {
            throw new FileFormatException(file, $"tensor {entry.Name}: expected rows of each of the {experts} experts of {owner}router_DE, got {entry.Shape}", entry.Offset);
        }

        var result = new List<TorchShard.Entry>();
        for (long e = 0; e < experts; e++)
        {
            result.Add(Transposed(entry, $"{layer}{e}.{matrix}.weight", e * (rows / experts), rows / experts));
        }

        return result;
    }

    private static long Rows(TorchShard.Entry entry, string file) =>
        entry.Shape.Rank == 2 ? entry.Shape[0] : throw new FileFormatException(file, $"tensor {entry.Name}: expected a matrix, got {entry.Shape}", entry.Offset);

    private static TorchShard.Entry Slice(TorchShard.Entry entry, string name, long first, long rows)
    {
        int size = entry.DType.BlockBytes();
        var shape = new Shape(rows, entry.Shape[1]);
        return entry with { Name = name, Shape = shape, Offset = entry.Offset + (first * entry.Stride[0] * size), ByteLength = shape.Count * size };
    }

    private static TorchShard.Entry Transposed(TorchShard.Entry entry, string name, long first, long rows)
    {
        TorchShard.Entry slice = Slice(entry, name, first, rows);
        return slice with { Shape = new Shape(entry.Shape[1], rows), Stride = [entry.Stride[1], entry.Stride[0]], IsContiguous = false };
    }
}
