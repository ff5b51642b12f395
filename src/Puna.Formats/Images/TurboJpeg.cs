using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>JPEG by libturbojpeg: the accurate integer transform and smooth upsampling, which are libjpeg's defaults and hence Pillow's.</summary>
internal static class TurboJpeg
{
    private const int Rgb = 0; // TJPF_RGB
    private const int Cmyk = 11; // TJPF_CMYK
    private const int AccurateTransform = 4096; // TJFLAG_ACCURATEDCT
    private const int Fatal = 1; // TJERR_FATAL

    private static readonly Lazy<NativeDecoder> Library = new(() => new NativeDecoder(
        "JPEG", "libturbojpeg (Debian: libturbojpeg0, Fedora: turbojpeg, macOS: jpeg-turbo)", "libturbojpeg.so.0", "libturbojpeg.0.dylib", "/opt/homebrew/opt/jpeg-turbo/lib/libturbojpeg.0.dylib", "turbojpeg"));

    private delegate nint Init();

    private delegate int Destroy(nint handle);

    private delegate int Error(nint handle);

    private delegate int Decompress(nint handle, byte[] jpeg, CULong size, byte[] pixels, int width, int pitch, int height, int format, int flags);

    /// <summary>Whether the library is there.</summary>
    public static bool IsFound => Library.Value.IsFound;

    public static RgbImage Decode(byte[] bytes, string path, JpegHeader header)
    {
        NativeDecoder library = Library.Value;
        Decompress decompress = library.Function<Decompress>("tjDecompress2", path);
        Error error = library.Function<Error>("tjGetErrorCode", path);
        Destroy destroy = library.Function<Destroy>("tjDestroy", path);
        (int width, int height) = (header.Width, header.Height);
        int channels = header.Components == 4 ? 4 : 3;
        var pixels = new byte[(long)width * height * channels];
        nint handle = library.Function<Init>("tjInitDecompress", path)();
        if (handle == 0)
        {
            throw new PunaException($"image {path}: libturbojpeg cannot start");
        }

        try
        {
            // Width and height are the most it may write; a picture that turned out to be larger would be refused or scaled down.
            if (decompress(handle, bytes, new CULong((nuint)bytes.Length), pixels, width, width * channels, height, channels == 4 ? Cmyk : Rgb, AccurateTransform) != 0 && error(handle) == Fatal)
            {
                throw new FileFormatException(path, "jpeg: expected a picture that libturbojpeg can decode, got a damaged one");
            }
        }
        finally
        {
            _ = destroy(handle);
        }

        return new RgbImage(width, height, channels == 4 ? FromCmyk(pixels) : pixels);
    }

    /// <summary>Inks to colours. They are taken as stored inverted, the way Adobe does, whether the file says so or not: what Pillow makes of such a file.</summary>
    private static byte[] FromCmyk(byte[] inks)
    {
        var rgb = new byte[inks.Length / 4 * 3];
        for (int i = 0, o = 0; i < inks.Length; i += 4, o += 3)
        {
            int black = inks[i + 3];
            for (int c = 0; c < 3; c++)
            {
                int ink = ((255 - inks[i + c]) * black) + 128;
                rgb[o + c] = (byte)Math.Max(0, black - (((ink >> 8) + ink) >> 8));
            }
        }

        return rgb;
    }
}
