using System.Runtime.InteropServices;

namespace Puna.Cli.Diagnostics;

/// <summary>Finds what else the machine has: only looked for, never used by the CPU path.</summary>
internal static class NativeTools
{
    /// <summary>Whether an NVIDIA driver is installed.</summary>
    public static bool HasNvidiaDriver()
    {
        string name = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";
        if (!NativeLibrary.TryLoad(name, out nint handle))
        {
            return false;
        }

        NativeLibrary.Free(handle);
        return true;
    }

    /// <summary>Path of the MPI launcher, or null where there is none on the path.</summary>
    public static string? FindMpi()
    {
        string[] names = OperatingSystem.IsWindows() ? ["mpiexec.exe"] : ["mpirun", "mpiexec"];
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (string name in names)
            {
                string path = Path.Combine(folder, name);
                if (File.Exists(path))
                {
                    return path;
                }
            }
        }

        return null;
    }
}
