using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Puna.Tensors.Kernels.Cpu;

namespace Puna.Cli.Diagnostics;

/// <summary>Which kernels run and why, how their code came to be, and whether the processor could run better ones than this build can.</summary>
internal static class KernelReport
{
    /// <summary>How the code of this process was compiled.</summary>
    public static CodeKind Code { get; } = !RuntimeFeature.IsDynamicCodeCompiled ? CodeKind.Native : IsReadyToRun() ? CodeKind.ReadyToRun : CodeKind.Jit;

    /// <summary>The fastest path of the processor and the system, asked of the processor itself: a build or a setting that hides instructions does not change it.</summary>
    public static CpuPath Hardware { get; } = X86Base.IsSupported ? HardwareX86() : CpuFeatures.Best;

    /// <summary>The kernels and the reason for them, in one line.</summary>
    public static string Kernels { get; } = $"{Name(CpuFeatures.Chosen)}: products and attention in {Vectors(CpuFeatures.Chosen)}; {Reason()}";

    /// <summary>How the code was compiled, in one line.</summary>
    public static string CodeText { get; } = Code switch
    {
        CodeKind.Native => "native, compiled when it was published for the instruction sets named then (RuntimeFeature.IsDynamicCodeCompiled is false)",
        CodeKind.ReadyToRun => "ready to run, compiled when it was published; what needs more than the least of processors, and what runs often, is compiled again at run time",
        _ => "compiled at run time for this processor",
    };

    /// <summary>What is lost and how to get it back, where the processor has better instructions than the kernels use; else null.</summary>
    public static string? Warning { get; } = Warn(Hardware, CpuFeatures.Best, Code);

    /// <summary>As <see cref="Warning"/>, for any machine and build.</summary>
    internal static string? Warn(CpuPath hardware, CpuPath best, CodeKind code) => hardware <= best ? null
        : $"the processor has {Instructions(hardware)}, which this build does not use: "
            + (code == CodeKind.Native ? $"publish it with -p:IlcInstructionSet=x86-64-v{(hardware == CpuPath.Avx512 ? 4 : 3)}, or not as native code" : "a setting turns them off (DOTNET_EnableHWIntrinsic, DOTNET_EnableAVX2, DOTNET_EnableAVX512)");

    /// <summary>The name of a path, as <see cref="CpuFeatures.Variable"/> takes it.</summary>
    internal static string Name(CpuPath path) => path.ToString().ToLowerInvariant();

    private static string Vectors(CpuPath path) => path switch
    {
        CpuPath.Avx512 => $"vectors of 512 bits ({Instructions(path)})",
        CpuPath.Avx2 => $"vectors of 256 bits ({Instructions(path)})",
        CpuPath.Vector128 => $"vectors of 128 bits ({Instructions(path)})",
        _ => "plain loops",
    };

    private static string Instructions(CpuPath path) => path switch
    {
        CpuPath.Avx512 => "AVX-512 F, BW, DQ and VL",
        CpuPath.Avx2 => "AVX2 and FMA",
        CpuPath.Vector128 => X86Base.IsSupported ? "SSE" : "NEON",
        _ => "none",
    };

    private static string Reason() => CpuFeatures.Chosen != CpuFeatures.Best ? $"because {CpuFeatures.Variable} asks for it"
        : CpuFeatures.Best < Hardware ? "the best that this build can use"
        : RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "the best for this processor (tested bit for bit under an emulator; its speed has not been measured)"
        : "the best for this processor";

    // The file of the assembly that the kernels are in says whether it holds native code. In a single file there is none to ask.
    private static bool IsReadyToRun()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Puna.Tensors.dll");
        try
        {
            using var reader = new PEReader(File.OpenRead(path));
            return reader.PEHeaders.CorHeader is { ManagedNativeHeaderDirectory.Size: > 0 };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            return false;
        }
    }

    private static CpuPath HardwareX86()
    {
        const int Fma = 1 << 12, XSave = 1 << 27, Avx = 1 << 28, Avx2 = 1 << 5, Avx512F = 1 << 16, Avx512DQ = 1 << 17, Avx512BW = 1 << 30, Avx512VL = 1 << 31;
        const int Features = 7, State = 13, Ymm = 2, HighZmm = 7;
        if (X86Base.CpuId(0, 0).Eax < State)
        {
            return CpuPath.Scalar;
        }

        int basic = X86Base.CpuId(1, 0).Ecx, extended = X86Base.CpuId(Features, 0).Ebx;
        return !Has(basic, Fma | XSave | Avx) || !Has(extended, Avx2) || !Saves(Ymm) ? CpuPath.Scalar
            : Has(extended, Avx512F | Avx512DQ | Avx512BW | Avx512VL) && Saves(HighZmm) ? CpuPath.Avx512
            : CpuPath.Avx2;

        static bool Has(int flags, int wanted) => (flags & wanted) == wanted;

        // Registers count where the system keeps them for each thread: then the area that it keeps, whose size EBX of sub-leaf 0 gives, reaches to their end (offset EBX, size EAX).
        static bool Saves(int registers)
        {
            (int size, int offset, _, _) = X86Base.CpuId(State, registers);
            return size > 0 && X86Base.CpuId(State, 0).Ebx >= offset + size;
        }
    }
}
