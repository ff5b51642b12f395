using Puna.Formats.Meta;

namespace Puna.Fuzz.Targets;

/// <summary>The <c>params.json</c> of a checkpoint in Meta's layout; what is accepted is written and read again.</summary>
public sealed class MetaParamsTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "meta-params";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        [.. """{"dim": 8192, "multiple_of": 4096, "ffn_dim_multiplier": 1.3, "n_heads": 64, "n_kv_heads": 8, "n_layers": 80, "norm_eps": 1e-05, "vocab_size": -1}"""u8],
        [.. """{"model":{"dim":64,"n_layers":2,"n_heads":4,"vocab_size":320,"rope_theta":500000.0,"use_scaled_rope":true,"vision_chunk_size":560},"other":[]}"""u8],
        [.. """{"dim":64,"n_layers":2,"n_heads":4,"quantization_args":{"scheme":"int4_weight_int8_dynamic_activation","group_size":32},"lora_args":{"rank":16,"scale":2.0}}"""u8],
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        MetaParams parameters = MetaParams.Parse(input, "params.json");
        MetaParams again = MetaParams.Parse(parameters.ToJson(), "params.json");
        if (parameters.FfnHidden < 0 || parameters.KvHeads <= 0 || (again with { Raw = default }) != (parameters with { Raw = default }))
        {
            throw new InvalidOperationException($"{parameters} is not what was written of it: {again}");
        }
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input) => JsonMutator.Mutate(random, input);
}
