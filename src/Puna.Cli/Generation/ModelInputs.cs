using Puna.Formats;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Cli.Generation;

/// <summary>What a model's reference is given, from a safetensors file: <c>input_ids</c>, and of a model that sees <c>pixel_values</c> and what goes with them. Other tensors are ignored.</summary>
/// <param name="Ids">The tokens.</param>
/// <param name="Pixels">Normalised pictures as the encoder wants them, or null.</param>
/// <param name="AspectRatioIds">Llama 3.2 Vision: the canvas of each picture, or null.</param>
/// <param name="AspectRatioMask">Llama 3.2 Vision: which tiles of a picture are there, or null.</param>
/// <param name="CrossAttentionMask">Llama 3.2 Vision: which tiles a token sees, or null.</param>
internal sealed record ModelInputs(int[] Ids, InputArray<float>? Pixels = null, InputArray<int>? AspectRatioIds = null, InputArray<int>? AspectRatioMask = null, InputArray<int>? CrossAttentionMask = null)
{
    // 16 pictures of 16 tiles of 560 x 560 are 241 million values.
    private const long MostValues = 1 << 28;

    /// <summary>Reads a file.</summary>
    /// <exception cref="PunaException">Names what is wrong and where.</exception>
    public static ModelInputs Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.TryGetInfo("input_ids", out TensorInfo? info))
        {
            throw new FileFormatException(path, "tensor input_ids: expected in the file, got none");
        }

        bool isVector = info.Shape.Rank == 1 || (info.Shape.Rank == 2 && info.Shape[0] == 1);
        if (!isVector || info.DType is not (DType.I64 or DType.I32))
        {
            throw new FileFormatException(path, $"tensor input_ids: expected i64 [tokens] or [1, tokens], got {info.DType.Name()} {info.Shape}");
        }

        int[] ids = Whole(file, path, "input_ids")!.Values;
        int bad = Array.FindIndex(ids, static id => id < 0);
        return bad < 0
            ? new ModelInputs(ids, Real(file, path, "pixel_values"), Whole(file, path, "aspect_ratio_ids"), Whole(file, path, "aspect_ratio_mask"), Whole(file, path, "cross_attention_mask"))
            : throw new FileFormatException(path, $"tensor input_ids[{bad}]: expected a token id, got {ids[bad]}");
    }

    private static InputArray<float>? Real(SafetensorsFile file, string path, string name)
    {
        if (!file.TryGetInfo(name, out TensorInfo? info))
        {
            return null;
        }

        if (!info.DType.IsFloat() || info.Shape.Count > MostValues)
        {
            throw new FileFormatException(path, $"tensor {name}: expected at most {MostValues} floats, got {info.DType.Name()} {info.Shape}");
        }

        Tensor tensor = file.GetTensor(name);
        var values = new float[info.Shape.Count];
        int columns = (int)info.Shape.Columns;
        for (int row = 0; row < tensor.Rows; row++)
        {
            Dequantizer.Dequantize(tensor.DType, tensor.Row<byte>(row), values.AsSpan(row * columns, columns));
        }

        int bad = Array.FindIndex(values, static x => !float.IsFinite(x));
        if (bad >= 0)
        {
            throw new FileFormatException(path, FormattableString.Invariant($"tensor {name}[{bad}]: expected a finite number, got {values[bad]}"));
        }

        return new InputArray<float>(values, info.Shape);
    }

    private static InputArray<int>? Whole(SafetensorsFile file, string path, string name)
    {
        if (!file.TryGetInfo(name, out TensorInfo? info))
        {
            return null;
        }

        if (info.DType is DType.F32 or DType.F16 or DType.BF16)
        {
            // Masks are floats in some recorded tests.
            InputArray<float> real = Real(file, path, name)!;
            int broken = Array.FindIndex(real.Values, static x => x != MathF.Round(x) || MathF.Abs(x) > 1 << 24);
            return broken < 0
                ? new InputArray<int>(Array.ConvertAll(real.Values, static x => (int)x), info.Shape)
                : throw new FileFormatException(path, FormattableString.Invariant($"tensor {name}[{broken}]: expected a whole number, got {real.Values[broken]}"));
        }

        if (info.DType is not (DType.I64 or DType.I32) || info.Shape.Count > MostValues)
        {
            throw new FileFormatException(path, $"tensor {name}: expected at most {MostValues} whole numbers, got {info.DType.Name()} {info.Shape}");
        }

        Tensor tensor = file.GetTensor(name);
        var values = new int[info.Shape.Count];
        for (long row = 0, at = 0; row < tensor.Rows && values.Length > 0; row++)
        {
            for (int i = 0; i < info.Shape.Columns; i++, at++)
            {
                long value = info.DType == DType.I32 ? tensor.Row<int>(row)[i] : tensor.Row<long>(row)[i];
                values[at] = value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new FileFormatException(path, $"tensor {name}[{at}]: expected a number of 32 bits, got {value}");
            }
        }

        return new InputArray<int>(values, info.Shape);
    }
}
