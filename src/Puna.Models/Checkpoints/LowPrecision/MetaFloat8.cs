using System.Globalization;
using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>
/// FP8 checkpoints in Meta's layout (spec llama1-3.md 8.1, llama4.md 9): feed-forward matrices of Llama 3.1 405B, or routed experts of Llama 4, as float8 e4m3fn in <c>consolidated.NN.pth</c>, with the scales of
/// each part's rows in <c>fp8_scales_NN.pt</c> beside it, NN without leading zeros. Weights are read exactly; activations, which Meta's code rounds to float8 as well, stay float32.
/// </summary>
internal static class MetaFloat8
{
    /// <summary>The file with its float8 matrices as float32; null where it has none.</summary>
    /// <param name="file">The file.</param>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <exception cref="PunaException">Scales are missing or do not fit.</exception>
    public static TensorFile? Decoded(MetaCheckpoint file, bool map)
    {
        var matrices = new Dictionary<string, IStoredMatrix>(StringComparer.Ordinal);
        var scales = new List<MetaCheckpoint>();
        try
        {
            foreach (TensorInfo info in file.Tensors)
            {
                if (info.DType != DType.F8_E4M3)
                {
                    continue;
                }

                if (scales.Count == 0)
                {
                    Open(file, scales, map);
                }

                matrices.Add(info.Name, new PartedMatrix(file, info, [.. scales.Select((s, part) => Find(file, info, s, part))]));
            }

            return matrices.Count == 0 ? null : new LowPrecisionFile(file, matrices, [], scales);
        }
        catch
        {
            scales.ForEach(static s => s.Dispose());
            throw;
        }
    }

    private static void Open(MetaCheckpoint file, List<MetaCheckpoint> scales, bool map)
    {
        for (int part = 0; part < file.Parts; part++)
        {
            string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.PathOf(part))) ?? "", string.Create(CultureInfo.InvariantCulture, $"fp8_scales_{part}.pt"));
            if (!File.Exists(path))
            {
                throw new PunaException($"scales {path}: expected beside {Path.GetFileName(file.PathOf(part))}, whose weights are float8, got none");
            }

            scales.Add(MetaCheckpoint.Open(path, map));
        }
    }

    /// <summary>Where the scales of a part's rows are.</summary>
    private static PartScales Find(MetaCheckpoint file, TensorInfo matrix, MetaCheckpoint scales, int part)
    {
        // layers.3.feed_forward.w1.weight, or layers.3.feed_forward.experts.5.w1.weight.
        string[] words = matrix.Name.Split('.');
        int expert = words.Length == 7 && words[3] == "experts" && int.TryParse(words[4], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;
        string key = words.Length == 5 && words[0] == "layers" ? $"{words[1]}_{words[2]}.{words[3]}_{part}"
            : expert >= 0 ? $"layers.{words[1]}.{words[2]}.experts.{words[5]}"
            : throw new FileFormatException(file.PathOf(part), $"tensor {matrix.Name}: expected a type that has no scales, got {matrix.DType.Name()}");
        if (!scales.TryGetInfo(key, out TensorInfo? info))
        {
            throw new FileFormatException(scales.Path, $"tensor {key}: expected the scales of {matrix.Name}, got none");
        }

        Shape shape = file.PartShape(matrix.Name);
        long first = expert < 0 ? 0 : expert * shape.Rows;
        bool fits = expert < 0 ? info.Shape.Count == shape.Rows : info.Shape.Count % shape.Rows == 0 && first + shape.Rows <= info.Shape.Count;
        return fits && info.DType.IsFloat()
            ? new PartScales(scales, info, first)
            : throw new FileFormatException(scales.Path, $"tensor {key}: expected floats for the {shape.Rows} rows of {matrix.Name}, got {info.DType.Name()} {info.Shape}");
    }
}
