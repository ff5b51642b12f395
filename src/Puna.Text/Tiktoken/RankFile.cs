using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using Puna.Tensors;
using Puna.Text.Vocabularies;

namespace Puna.Text.Tiktoken;

/// <summary>
/// The text file of a tiktoken vocabulary: per line <c>base64(token) rank</c>, blank lines skipped (spec llama1-3.md 5.3). Ranks must be 0 to n-1, each
/// once, tokens distinct, and every single byte must be a token: anything else could not encode every text.
/// </summary>
internal static class RankFile
{
    /// <summary>Longest token; the longest of Llama 4 has 113 bytes.</summary>
    private const int LongestToken = 4096;

    /// <summary>Whether the beginning of a file is a line of this format.</summary>
    public static bool Recognise(ReadOnlySpan<byte> content)
    {
        int at = 0;
        ReadOnlySpan<byte> line = Line(content, ref at);
        while (line.IsEmpty && at < content.Length)
        {
            line = Line(content, ref at);
        }

        Span<byte> token = stackalloc byte[64];
        int space = line.IndexOfAny((byte)' ', (byte)'\t');
        return space > 0 && space <= 64 && Base64.DecodeFromUtf8(line[..space], token, out _, out _) == OperationStatus.Done
            && line[(space + 1)..].Trim((byte)' ').IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }

    /// <summary>Reads all ranks.</summary>
    /// <exception cref="FileFormatException">The file is not as described above.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TokenTable Read(ReadOnlySpan<byte> content, string file)
    {
        int lines = 0;
        for (int at = 0; at < content.Length;)
        {
            lines += Line(content, ref at).IsEmpty ? 0 : 1;
        }

        var table = new TokenTable.Builder(lines, content.Length / 2);
        byte[] token = new byte[LongestToken];
        for (int at = 0; at < content.Length;)
        {
            int start = at;
            ReadOnlySpan<byte> line = Line(content, ref at);
            if (line.IsEmpty)
            {
                continue;
            }

            int space = line.IndexOfAny((byte)' ', (byte)'\t');
            if (space < 0)
            {
                throw new FileFormatException(file, $"rank line: expected base64 and a rank, got {Quote(line)}", start);
            }

            if (Base64.DecodeFromUtf8(line[..space], token, out _, out int length) != OperationStatus.Done || length == 0)
            {
                throw new FileFormatException(file, $"token of a rank line: expected base64 of 1 to {LongestToken} bytes, got {Quote(line[..space])}", start);
            }

            ReadOnlySpan<byte> number = line[(space + 1)..].TrimStart(" \t"u8);
            if (!Utf8Parser.TryParse(number, out int rank, out int used) || used != number.Length || (uint)rank >= (uint)lines)
            {
                throw new FileFormatException(file, $"rank: expected 0 to {lines - 1}, each once, got {Quote(number)}", start);
            }

            int added = table.Add(rank, token.AsSpan(0, length));
            if (added != rank)
            {
                throw new FileFormatException(file, added < 0 ? $"rank {rank}: expected once, got it again" : $"token {Quote(line[..space])}: expected once, got it as {added} and {rank}", start);
            }
        }

        TokenTable ranks = table.Build(merging: true);
        for (int i = 0; i < 256; i++)
        {
            if (ranks.Find([(byte)i]) < 0)
            {
                throw new FileFormatException(file, $"ranks: expected every single byte to be a token, got none for 0x{i:X2}");
            }
        }

        return ranks;
    }

    /// <summary>Writes the tokens 0 to <paramref name="count"/>-1 of a table.</summary>
    public static void Write(TokenTable table, int count, Stream output)
    {
        byte[] line = new byte[Base64.GetMaxEncodedToUtf8Length(Math.Max(16, table.LongestIndexed)) + 16];
        for (int rank = 0; rank < count; rank++)
        {
            Base64.EncodeToUtf8(table[rank], line, out _, out int length);
            line[length++] = (byte)' ';
            Utf8Formatter.TryFormat(rank, line.AsSpan(length), out int digits);
            length += digits;
            line[length++] = (byte)'\n';
            output.Write(line, 0, length);
        }
    }

    /// <summary>The line at <paramref name="at"/> without its end and the white space around it.</summary>
    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> content, scoped ref int at)
    {
        ReadOnlySpan<byte> rest = content[at..];
        int end = rest.IndexOf((byte)'\n');
        at = end < 0 ? content.Length : at + end + 1;
        return (end < 0 ? rest : rest[..end]).Trim(" \t\r"u8);
    }

    private static string Quote(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes.Length > 40 ? bytes[..40] : bytes);
}
