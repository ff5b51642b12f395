using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Cli.Diagnostics;

/// <summary>Measures how fast this machine reads memory: what decoding, which reads every weight once per token, cannot exceed.</summary>
internal static class MemoryBandwidth
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>
    /// Reads a buffer larger than the caches several times and returns the best rate in bytes per second: anything else running on the machine only
    /// makes a pass slower.
    /// </summary>
    /// <param name="threads">Threads that read, each its own part.</param>
    /// <param name="token">Stops between passes.</param>
    public static double Measure(int threads, CancellationToken token)
    {
        const int Passes = 6;
        const long Wanted = 512L << 20;
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        int chunks = (int)Math.Max(threads, Math.Min(Wanted, available / 8) / ChunkBytes);
        using var buffer = new NativeStorage((nint)chunks * ChunkBytes, clear: true);
        double best = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            token.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            ReadAll(buffer, chunks, threads);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            best = Math.Max(best, buffer.ByteLength / Math.Max(seconds, 1e-9));
        }

        return best;
    }

    private static void ReadAll(NativeStorage buffer, int chunks, int threads)
    {
        var sums = new ulong[threads];
        var workers = new Thread[threads];
        for (int t = 0; t < threads; t++)
        {
            int me = t;
            workers[t] = new Thread(() =>
            {
                ulong sum = 0;
                for (int chunk = (int)((long)chunks * me / threads); chunk < (int)((long)chunks * (me + 1) / threads); chunk++)
                {
                    sum += Sum(buffer.Span<ulong>((nint)chunk * ChunkBytes, ChunkBytes / sizeof(ulong)));
                }

                sums[me] = sum;
            })
            { IsBackground = true };
            workers[t].Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        // The sums are used, so that no compiler may leave the reading out.
        GC.KeepAlive(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong Sum(ReadOnlySpan<ulong> values)
    {
        ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(values);
        Vector<ulong> a = default, b = default, c = default, d = default;
        for (int i = 0; i + 3 < vectors.Length; i += 4)
        {
            a += vectors[i];
            b += vectors[i + 1];
            c += vectors[i + 2];
            d += vectors[i + 3];
        }

        return Vector.Sum(a + b + c + d);
    }
}
