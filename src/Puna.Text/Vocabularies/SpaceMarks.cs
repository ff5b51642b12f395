using System.Buffers;

namespace Puna.Text.Vocabularies;

/// <summary>Writes a text with something in front of it and a mark for every space.</summary>
internal static class SpaceMarks
{
    /// <summary>Writes into a rented array, which the caller gives back to the shared pool.</summary>
    public static (byte[] Buffer, int Length) Write(ReadOnlySpan<byte> text, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> mark)
    {
        byte[] output = ArrayPool<byte>.Shared.Rent(checked(prefix.Length + (text.Length * Math.Max(1, mark.Length))));
        prefix.CopyTo(output);
        int length = prefix.Length;
        while (true)
        {
            int run = text.IndexOf((byte)' ');
            ReadOnlySpan<byte> word = run < 0 ? text : text[..run];
            word.CopyTo(output.AsSpan(length));
            length += word.Length;
            if (run < 0)
            {
                return (output, length);
            }

            mark.CopyTo(output.AsSpan(length));
            length += mark.Length;
            text = text[(run + 1)..];
        }
    }
}
