using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Puna.Tensors;

namespace Puna.Cli.Diagnostics;

/// <summary>Measures how fast this machine reads memory: what decoding, which reads every weight once per token, cannot exceed.</summary>
internal static class MemoryBandwidth
{
    /// <summary>
    /// Places that a thread reads from at the same time. One stream waits for the prefetcher at every page; a single thread read up to twice as much with
    /// eight streams as with one.
    /// </summary>
    private const int Streams = 8;

    private const int StreamBytes = 1 << 18;
    private const int ChunkBytes = Streams * StreamBytes;

    /// <summary>
    /// Reads a buffer much larger than the caches several times and returns the best rate in bytes per second: anything else running on the machine only
    /// makes a pass slower. Every page has been written before, so that none is faulted in while the clock runs.
    /// </summary>
    /// <param name="threads">Threads that read, each its own part.</param>
    /// <param name="token">Stops between passes.</param>
    public static double Measure(int threads, CancellationToken token)
    {
        const int Passes = 10;
        const int EnoughSeconds = 2; // on a machine that is slow or busy
        const long Wanted = 1L << 30;
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        int chunks = (int)Math.Max(threads, Math.Min(Wanted, available / 8) / ChunkBytes);
        using var buffer = new NativeStorage((nint)chunks * ChunkBytes, clear: false);
        ThreadedPass.Run(threads, me => ForEachChunk(buffer, chunks, threads, me, static chunk =>
        {
            chunk.Fill(1); // zero pages may stay one shared page of the system
            return 0;
        }));

        double best = 0;
        long start = Stopwatch.GetTimestamp();
        for (int pass = 0; pass < Passes && (pass < 3 || Stopwatch.GetElapsedTime(start).TotalSeconds < EnoughSeconds); pass++)
        {
            token.ThrowIfCancellationRequested();
            double seconds = ThreadedPass.Run(threads, me => ForEachChunk(buffer, chunks, threads, me, Sum));
            best = Math.Max(best, buffer.ByteLength / seconds);
        }

        return best;
    }

    private static void ForEachChunk(NativeStorage buffer, int chunks, int threads, int me, Func<Span<ulong>, ulong> work)
    {
        ulong sum = 0;
        for (int chunk = (int)((long)chunks * me / threads); chunk < (int)((long)chunks * (me + 1) / threads); chunk++)
        {
            sum += work(buffer.Span<ulong>((nint)chunk * ChunkBytes, ChunkBytes / sizeof(ulong)));
        }

        Consume(sum);
    }

    /// <summary>Takes a result, so that no compiler may leave out how it came about.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Consume(ulong sum) => GC.KeepAlive(sum);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong Sum(Span<ulong> chunk)
    {
        const int Length = StreamBytes / 32;
        ReadOnlySpan<Vector256<ulong>> all = MemoryMarshal.Cast<ulong, Vector256<ulong>>(chunk);
        ReadOnlySpan<Vector256<ulong>> s0 = all[..Length], s1 = all.Slice(Length, Length), s2 = all.Slice(2 * Length, Length), s3 = all.Slice(3 * Length, Length);
        ReadOnlySpan<Vector256<ulong>> s4 = all.Slice(4 * Length, Length), s5 = all.Slice(5 * Length, Length), s6 = all.Slice(6 * Length, Length), s7 = all.Slice(7 * Length, Length);
        Vector256<ulong> a = default, b = default, c = default, d = default;
        for (int i = 0; i < Length; i += 2)
        {
            a += s0[i] ^ s0[i + 1];
            b += s1[i] ^ s1[i + 1];
            c += s2[i] ^ s2[i + 1];
            d += s3[i] ^ s3[i + 1];
            a += s4[i] ^ s4[i + 1];
            b += s5[i] ^ s5[i + 1];
            c += s6[i] ^ s6[i + 1];
            d += s7[i] ^ s7[i + 1];
        }

        return Vector256.Sum(a + b + c + d);
    }
}
