using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>Draws the frames of a WebP animation one over the other (RFC 9649, 2.7.1.1), in the integers of libwebp's own animation decoder.</summary>
internal static class WebpCanvas
{
    /// <summary>Decodes frames, each as it is seen on the canvas.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="header">What its chunks say.</param>
    /// <param name="wanted">Numbers of frames, ascending.</param>
    /// <param name="path">What to call the file in messages.</param>
    public static RgbImage[] Decode(byte[] bytes, WebpHeader header, ReadOnlySpan<int> wanted, string path)
    {
        (int width, int height) = (header.Width, header.Height);
        var images = new RgbImage[wanted.Length];
        var canvas = new byte[(long)width * height * 4]; // nothing is there: transparent, or black where the header denies transparency
        WebpFrame cleared = default;
        bool wasKey = false;
        for (int i = 0, done = 0; done < wanted.Length; i++)
        {
            WebpFrame frame = header.Frames[i];
            bool isKey = i == 0 || (IsWhole(frame) && (!frame.IsBlended || !frame.HasAlpha)) || (cleared.Width > 0 && (IsWhole(cleared) || wasKey));
            frame = frame with { IsBlended = frame.IsBlended && !isKey };
            byte[] pixels = LibWebp.DecodeFrame(bytes, path, frame);
            for (int y = 0; y < frame.Height; y++)
            {
                Draw(frame, pixels.AsSpan(y * frame.Width * 4, frame.Width * 4), Row(frame, canvas, width, y), frame.Top + y, cleared);
            }

            for (; done < wanted.Length && wanted[done] == i; done++)
            {
                images[done] = new RgbImage(width, height, Flatten(canvas, header.HasAlpha));
            }

            wasKey = isKey;
            cleared = frame.IsCleared ? frame : default;
            for (int y = 0; y < cleared.Height; y++)
            {
                Row(cleared, canvas, width, y).Clear();
            }
        }

        return images;

        bool IsWhole(WebpFrame frame) => (frame.Width, frame.Height) == (width, height);
    }

    private static void Draw(WebpFrame frame, ReadOnlySpan<byte> from, Span<byte> to, int y, WebpFrame cleared)
    {
        if (!frame.IsBlended)
        {
            from.CopyTo(to);
            return;
        }

        bool isInCleared = y >= cleared.Top && y < cleared.Top + cleared.Height;
        for (int i = 0, x = frame.Left; i < from.Length; i += 4, x++)
        {
            int alpha = from[i + 3];
            if (alpha == 255 || (isInCleared && x >= cleared.Left && x < cleared.Left + cleared.Width))
            {
                from.Slice(i, 4).CopyTo(to[i..]);
            }
            else if (alpha != 0)
            {
                uint below = (uint)((to[i + 3] * (256 - alpha)) >> 8);
                uint all = (uint)alpha + below;
                uint scale = (1u << 24) / all;
                for (int c = 0; c < 3; c++)
                {
                    to[i + c] = (byte)((((from[i + c] * (uint)alpha) + (to[i + c] * below)) * scale) >> 24);
                }

                to[i + 3] = (byte)all;
            }
        }
    }

    private static byte[] Flatten(byte[] canvas, bool hasAlpha)
    {
        var rgb = new byte[canvas.Length / 4 * 3];
        if (hasAlpha)
        {
            OnWhite.Blend(canvas, rgb);
            return rgb;
        }

        for (int i = 0, o = 0; i < canvas.Length; i += 4, o += 3)
        {
            canvas.AsSpan(i, 3).CopyTo(rgb.AsSpan(o));
        }

        return rgb;
    }

    private static Span<byte> Row(WebpFrame frame, byte[] canvas, int canvasWidth, int y) => canvas.AsSpan((((frame.Top + y) * canvasWidth) + frame.Left) * 4, frame.Width * 4);
}
