using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>A native library that is looked for when the first picture of its format comes. Nothing else depends on it.</summary>
internal sealed class NativeDecoder
{
    private readonly string _format;
    private readonly string _advice;
    private readonly nint _library;

    /// <summary>Looks for the library.</summary>
    /// <param name="format">What it decodes.</param>
    /// <param name="advice">What to install where it is missing.</param>
    /// <param name="names">What it is called on the systems there are.</param>
    public NativeDecoder(string format, string advice, params ReadOnlySpan<string> names)
    {
        (_format, _advice) = (format, advice);
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, typeof(NativeDecoder).Assembly, null, out _library))
            {
                return;
            }
        }
    }

    /// <summary>Whether the library was found.</summary>
    public bool IsFound => _library != 0;

    /// <summary>A function of the library, as a delegate whose arguments are numbers and arrays of bytes, which are pinned for the call.</summary>
    /// <exception cref="PunaException">There is no library, or none with this function.</exception>
    public T Function<T>(string name, string path)
        where T : Delegate
    {
        if (_library == 0 || !NativeLibrary.TryGetExport(_library, name, out nint address))
        {
            throw new PunaException($"image {path}: expected {_advice} to decode {_format}, got {(_library == 0 ? "no such library" : $"one without {name}")}");
        }

        return Marshal.GetDelegateForFunctionPointer<T>(address);
    }
}
