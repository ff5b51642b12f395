using System.Diagnostics;
using System.Globalization;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Bench.Quantization;

/// <summary>Speed of the encoders on one core: <c>-- quantize [type ...]</c>.</summary>
internal static class QuantizeReport
{
    private const int Count = 1 << 18;

    /// <summary>Prints 10^6 values per second, best of a few tries.</summary>
    public static int Run(ReadOnlySpan<string> names)
    {
        var values = new float[Count];
        var random = new Random(1);
        for (int i = 0; i < Count; i++)
        {
            values[i] = (float)((random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 0.04);
        }

        Console.WriteLine("type     10^6 values/s, one core");
        foreach (DType type in Enum.GetValues<DType>())
        {
            if (!Quantizer.Supports(type) || (names.Length > 0 && !names.Contains(type.Name())))
            {
                continue;
            }

            var bytes = new byte[type.RowBytes(Count)];
            double best = 0;
            for (int attempt = 0; attempt < 12; attempt++)
            {
                long start = Stopwatch.GetTimestamp();
                Quantizer.Quantize(type, values, bytes);
                best = Math.Max(best, Count / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{type.Name(),-8} {best / 1e6,7:0.0}"));
        }

        return 0;
    }
}
