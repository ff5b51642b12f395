using System.Globalization;
using System.Runtime.InteropServices;
using Puna.Cli.Hosting;
using Puna.DefaultModel;
using Puna.Formats.Images;
using Puna.Tensors.Kernels.Cpu;

namespace Puna.Cli.Diagnostics;

/// <summary>What <c>puna doctor</c> finds out about a machine.</summary>
/// <param name="Threads">Threads that compute.</param>
/// <param name="ReadBandwidth">Bytes per second that these threads read from memory.</param>
/// <param name="CacheFolder">Where downloaded models are kept.</param>
internal sealed record DoctorReport(int Threads, double ReadBandwidth, string CacheFolder)
{
    private const double Giga = 1e9;

    private readonly long _memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    private readonly bool _hasNvidia = NativeTools.HasNvidiaDriver();
    private readonly string? _mpi = NativeTools.FindMpi();

    /// <summary>Writes the report for people.</summary>
    public void WriteText(TextWriter output)
    {
        Head(output, "System");
        Line(output, "puna", ProductInfo.Version);
        Line(output, "operating system", $"{RuntimeInformation.OSDescription} ({RuntimeInformation.OSArchitecture})");
        Line(output, "runtime", RuntimeInformation.FrameworkDescription);
        Line(output, "processor", Processor.Name);
        Line(output, "logical cores", Text($"{Environment.ProcessorCount} for this process"));
        Line(output, "memory", Text($"{_memory / Giga:F1} GB for this process"));

        Head(output, "Processor features, as the runtime sees them");
        Line(output, "there", Join(true));
        Line(output, "not there", Join(false));
        Line(output, "kernels", KernelReport.Kernels);
        Line(output, "code", KernelReport.CodeText);
        if (KernelReport.Warning is string warning)
        {
            Line(output, "warning", warning);
        }

        Head(output, "Memory");
        Line(output, "read bandwidth", Text($"{ReadBandwidth / Giga:F1} GB/s with {Threads} thread{(Threads == 1 ? "" : "s")} (measured)"));

        Head(output, "Other");
        Line(output, "GPU", _hasNvidia ? "an NVIDIA driver is installed; this version computes on the processor only" : "no NVIDIA driver found; this version computes on the processor only");
        Line(output, "MPI", _mpi is null ? "not found; this version runs on one machine only" : $"{_mpi}; this version runs on one machine only");
        Line(output, "images", $"PNG, GIF; JPEG: {(ImageReader.ReadsJpeg ? "libturbojpeg found" : "needs libturbojpeg, not found")}; WebP: {(ImageReader.ReadsWebp ? "libwebp found" : "needs libwebp, not found")}");
        Line(output, "models inside", string.Join(", ", DefaultModels.Names));
        Line(output, "downloaded models", CacheFolder);

        Head(output, "What follows");
        output.WriteLine(Text($"  Every new token reads all weights once: a model of 1 GB gives at most {ReadBandwidth / Giga:F0} tokens per second here,"));
        output.WriteLine(Text($"  one of 4 GB at most {ReadBandwidth / Giga / 4:F1}. A model and its cache should stay below {_memory / Giga * 0.8:F0} GB."));
    }

    /// <summary>Writes one JSON object.</summary>
    public void WriteJson(TextWriter output)
    {
        using var json = new JsonOutput(output);
        json.Writer.WriteStartObject();
        json.Writer.WriteString("version", ProductInfo.Version);
        json.Writer.WriteString("os", RuntimeInformation.OSDescription);
        json.Writer.WriteString("architecture", RuntimeInformation.ProcessArchitecture.ToString());
        json.Writer.WriteString("runtime", RuntimeInformation.FrameworkDescription);
        json.Writer.WriteString("processor", Processor.Name);
        json.Writer.WriteNumber("logical_cores", Environment.ProcessorCount);
        json.Writer.WriteNumber("memory_bytes", _memory);
        json.Writer.WriteStartObject("features");
        foreach ((string name, bool isSupported) in Processor.Features)
        {
            json.Writer.WriteBoolean(name, isSupported);
        }

        json.Writer.WriteEndObject();
        json.Writer.WriteString("kernels", KernelReport.Name(CpuFeatures.Chosen));
        json.Writer.WriteString("kernels_of_hardware", KernelReport.Name(KernelReport.Hardware));
        json.Writer.WriteString("code", KernelReport.Code.ToString().ToLowerInvariant());
        json.Writer.WriteString("warning", KernelReport.Warning);
        json.Writer.WriteNumber("threads", Threads);
        json.Writer.WriteNumber("read_bandwidth_bytes_per_second", Math.Round(ReadBandwidth));
        json.Writer.WriteBoolean("nvidia_driver", _hasNvidia);
        json.Writer.WriteString("mpi", _mpi);
        json.Writer.WriteBoolean("libturbojpeg", ImageReader.ReadsJpeg);
        json.Writer.WriteBoolean("libwebp", ImageReader.ReadsWebp);
        json.Writer.WriteString("cache", CacheFolder);
        json.Writer.WriteEndObject();
    }

    private static string Join(bool supported)
    {
        string text = string.Join(' ', Processor.Features.Where(f => f.IsSupported == supported).Select(static f => f.Name));
        return text.Length > 0 ? text : "none";
    }

    private static void Head(TextWriter output, string text) => output.WriteLine(text == "System" ? text : "\n" + text);

    private static void Line(TextWriter output, string name, string value) => output.WriteLine($"  {name,-18} {value}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
