using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace Puna.Cli.Diagnostics;

/// <summary>What the processor can do, as the runtime sees it (a setting such as <c>DOTNET_EnableAVX2=0</c> hides a feature here and from the kernels alike).</summary>
internal static class Processor
{
    /// <summary>Every feature that matters to kernels on this kind of processor, and whether it is there.</summary>
    public static IReadOnlyList<(string Name, bool IsSupported)> Features { get; } = ArmBase.IsSupported
        ?
        [
            ("AdvSimd", AdvSimd.IsSupported),
            ("Dp", Dp.IsSupported),
            ("Rdm", Rdm.IsSupported),
            ("Aes", ArmAes.IsSupported),
            ("Sve", HasSve()),
        ]
        :
        [
            ("Sse4.2", Sse42.IsSupported),
            ("Avx", Avx.IsSupported),
            ("Avx2", Avx2.IsSupported),
            ("Fma", Fma.IsSupported),
            ("AvxVnni", AvxVnni.IsSupported),
            ("Avx512F", Avx512F.IsSupported),
            ("Avx512BW", Avx512BW.IsSupported),
            ("Avx512DQ", Avx512DQ.IsSupported),
            ("Avx512Vbmi", Avx512Vbmi.IsSupported),
        ];

    /// <summary>Name of the processor, or its kind where the system does not tell.</summary>
    public static string Name { get; } = FindName();

#pragma warning disable SYSLIB5003 // the scalable vectors are marked as experimental; asking whether they are there is safe
    private static bool HasSve() => Sve.IsSupported;
#pragma warning restore SYSLIB5003

    private static string FindName()
    {
        const int FirstLeaf = unchecked((int)0x80000002);
        const int Leaves = 3;
        if (X86Base.IsSupported && (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax >= unchecked((uint)FirstLeaf) + Leaves - 1)
        {
            // The brand string: 48 bytes in three leaves of four registers.
            var name = new StringBuilder();
            for (int leaf = 0; leaf < Leaves; leaf++)
            {
                (int a, int b, int c, int d) = X86Base.CpuId(FirstLeaf + leaf, 0);
                foreach (int register in (ReadOnlySpan<int>)[a, b, c, d])
                {
                    for (int shift = 0; shift < 32; shift += 8)
                    {
                        char letter = (char)((register >> shift) & 0xFF);
                        name.Append(letter is >= ' ' and < (char)127 ? letter : ' ');
                    }
                }
            }

            return string.Join(' ', name.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();
    }
}
