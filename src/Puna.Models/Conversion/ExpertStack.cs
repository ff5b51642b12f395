using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>One tensor of a result that holds the matrices of all experts of a layer (spec llama4.md 5.2, 5.5).</summary>
/// <param name="FileName">Its name in the result.</param>
/// <param name="Experts">Number of experts.</param>
/// <param name="Prefix">Canonical name of what the matrices belong to, up to <c>experts.</c>.</param>
/// <param name="Matrices">The matrices that lie side by side: <c>w1</c> and <c>w3</c>, or one.</param>
/// <param name="IsTransposed">Whether they lie there as <c>[in, out]</c>, as Hugging Face has them.</param>
internal sealed record ExpertStack(string FileName, int Experts, string Prefix, string[] Matrices, bool IsTransposed)
{
    /// <summary>The stacks of a layer in a format.</summary>
    public static IEnumerable<(ExpertStack Stack, Shape Shape)> Of(LlamaConfig config, int layer, CheckpointFormat format)
    {
        int experts = config.Llama4!.Experts, ffn = config.Llama4.ExpertFfn, hidden = config.Hidden;
        string prefix = $"layers.{layer}.feed_forward.experts.";
        if (format == CheckpointFormat.Safetensors)
        {
            string name = $"model.layers.{layer}.feed_forward.experts.";
            yield return (new ExpertStack(name + "gate_up_proj", experts, prefix, ["w1", "w3"], true), new Shape(experts, hidden, 2 * ffn));
            yield return (new ExpertStack(name + "down_proj", experts, prefix, ["w2"], true), new Shape(experts, ffn, hidden));
            yield break;
        }

        foreach ((string matrix, string name) in new[] { ("w1", "gate"), ("w3", "up"), ("w2", "down") })
        {
            var shape = matrix == "w2" ? new Shape(experts, hidden, ffn) : new Shape(experts, ffn, hidden);
            yield return (new ExpertStack($"blk.{layer}.ffn_{name}_exps.weight", experts, prefix, [matrix], false), shape);
        }
    }

    /// <summary>Canonical name of a matrix.</summary>
    public string Canonical(int expert, string matrix) => $"{Prefix}{expert}.{matrix}.weight";

    /// <summary>Writes the stack, expert by expert, and yields the bytes of each piece.</summary>
    public IEnumerable<int> Pieces(Checkpoint source, DType type, TensorWriter writer, int threads)
    {
        for (int e = 0; e < Experts; e++)
        {
            byte[][] matrices = [.. Matrices.Select(m => Convert(source, Canonical(e, m), type, threads))];
            if (IsTransposed)
            {
                matrices = [Transposed(source, e, matrices, type.BlockBytes())];
            }

            foreach (byte[] bytes in matrices)
            {
                writer.Write(bytes);
                yield return bytes.Length;
            }
        }
    }

    private static byte[] Convert(Checkpoint source, string canonical, DType type, int threads)
    {
        Tensor tensor = source.GetTensor(canonical);
        try
        {
            int rows = checked((int)tensor.Rows);
            var bytes = new byte[checked(rows * (int)type.RowBytes(tensor.Columns))];
            RowConverter.Convert(tensor, type, static row => row, 0, rows, bytes, canonical, threads);
            return bytes;
        }
        finally
        {
            source.Release(canonical, tensor);
        }
    }

    /// <summary>Row i of the result is column i of each matrix in turn.</summary>
    private byte[] Transposed(Checkpoint source, int expert, byte[][] matrices, int size)
    {
        if (size is not (sizeof(ushort) or sizeof(float)))
        {
            throw new PunaException($"tensor {FileName}: expected floats of 16 or 32 bits, got {size} bytes per value");
        }

        source.TryGetInfo(Canonical(expert, Matrices[0]), out TensorInfo? info);
        int outputs = (int)info!.Shape.Rows, inputs = (int)info.Shape.Columns;
        var result = new byte[checked(outputs * inputs * size * matrices.Length)];
        if (size == sizeof(float))
        {
            Transpose<uint>(matrices, result, outputs, inputs);
        }
        else
        {
            Transpose<ushort>(matrices, result, outputs, inputs);
        }

        return result;
    }

    private static void Transpose<T>(byte[][] matrices, byte[] result, int outputs, int inputs)
        where T : unmanaged
    {
        const int Strip = 32;
        Span<T> to = MemoryMarshal.Cast<byte, T>(result.AsSpan());
        int width = outputs * matrices.Length;
        for (int m = 0; m < matrices.Length; m++)
        {
            Span<T> from = MemoryMarshal.Cast<byte, T>(matrices[m].AsSpan());
            for (int first = 0; first < outputs; first += Strip)
            {
                int end = Math.Min(outputs, first + Strip);
                for (int i = 0; i < inputs; i++)
                {
                    Span<T> row = to.Slice((i * width) + (m * outputs), outputs);
                    for (int o = first; o < end; o++)
                    {
                        row[o] = from[(o * inputs) + i];
                    }
                }
            }
        }
    }
}
