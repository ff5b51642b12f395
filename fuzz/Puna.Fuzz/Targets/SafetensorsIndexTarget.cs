using Puna.Formats.Safetensors;

namespace Puna.Fuzz.Targets;

/// <summary>The index of a checkpoint in several safetensors files.</summary>
public sealed class SafetensorsIndexTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "safetensors-index";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        [.. """{"metadata":{"total_size":24},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"""u8],
        [.. """{ "weight_map" : { "a.b\n\u00e9" : "x.safetensors" }, "other" : [ 1, null, { "weight_map" : 3 } ] }"""u8],
        [.. """{"weight_map":{}}"""u8],
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        SafetensorsIndex index = SafetensorsIndex.Parse(input, "fuzz.safetensors.index.json");
        string folder = Path.GetFullPath("folder");
        foreach (string file in index.WeightMap.Values)
        {
            // The claim that matters: no index reaches outside its folder.
            if (Path.GetDirectoryName(Path.GetFullPath(Path.Combine(folder, file))) != folder)
            {
                throw new InvalidOperationException($"the index reaches outside its folder: {file}");
            }
        }
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input) => JsonMutator.Mutate(random, input);
}
