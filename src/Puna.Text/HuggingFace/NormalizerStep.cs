using System.Buffers;
using System.Globalization;
using System.Text;
using Puna.Text.SentencePieces;
using Puna.Text.Splitting;
using Puna.Text.Splitting.Patterns;

namespace Puna.Text.HuggingFace;

/// <summary>One change of the text before it is cut. Immutable and thread-safe.</summary>
internal abstract class NormalizerStep
{
    /// <summary>The changed text; well-formed UTF-8 in and out.</summary>
    public abstract byte[] Apply(byte[] text);

    /// <summary>Puts a text in front of what is not empty.</summary>
    internal sealed class Prepend(byte[] prefix) : NormalizerStep
    {
        /// <summary>The text in front.</summary>
        public byte[] Prefix => prefix;

        /// <inheritdoc/>
        public override byte[] Apply(byte[] text) => text.Length == 0 ? text : [.. prefix, .. text];
    }

    /// <summary>Replaces every match by a text.</summary>
    internal sealed class Replace(SplitPattern pattern, string? literal, byte[] content) : NormalizerStep
    {
        /// <summary>The text looked for, where it is a plain text.</summary>
        public string? Literal => literal;

        /// <summary>What takes its place.</summary>
        public byte[] Content => content;

        /// <inheritdoc/>
        public override byte[] Apply(byte[] text)
        {
            var result = new ArrayBufferWriter<byte>(text.Length + 16);
            var scratch = new PatternScratch(SplitPattern.Budget(text.Length));
            int last = 0;
            for (int at = 0; at <= text.Length;)
            {
                int found = pattern.Find(text, at, scratch, out int length);
                if (found < 0)
                {
                    break;
                }

                result.Write(text.AsSpan(last, found - last));
                result.Write(content);
                last = found + length;
                at = length > 0 ? last : found < text.Length ? found + Utf8Text.Length(text[found]) : text.Length + 1;
            }

            result.Write(text.AsSpan(last));
            return result.WrittenSpan.ToArray();
        }
    }

    /// <summary>Takes white space away at the ends.</summary>
    internal sealed class Strip(bool left, bool right) : NormalizerStep
    {
        /// <inheritdoc/>
        public override byte[] Apply(byte[] text)
        {
            string trimmed = Encoding.UTF8.GetString(text);
            trimmed = left ? trimmed.TrimStart() : trimmed;
            return Encoding.UTF8.GetBytes(right ? trimmed.TrimEnd() : trimmed);
        }
    }

    /// <summary>
    /// SentencePiece's character map as Hugging Face's tokenizers apply it: what one sees as a character (a grapheme cluster) of less than six bytes is replaced as a whole by what its shortest
    /// beginning in the map becomes, else code point by code point.
    /// </summary>
    internal sealed class Precompiled(CharsMap map) : NormalizerStep
    {
        private const int LongestWhole = 5;

        /// <inheritdoc/>
        public override byte[] Apply(byte[] text)
        {
            string characters = Encoding.UTF8.GetString(text);
            var result = new ArrayBufferWriter<byte>(text.Length + 16);
            int at = 0;
            for (int i = 0; i < characters.Length;)
            {
                int units = StringInfo.GetNextTextElementLength(characters.AsSpan(i));
                int length = Encoding.UTF8.GetByteCount(characters.AsSpan(i, units));
                ReadOnlySpan<byte> cluster = text.AsSpan(at, length);
                if (length > LongestWhole || !map.TryFirst(cluster, out ReadOnlySpan<byte> replacement))
                {
                    CodePoints(cluster, result);
                }
                else
                {
                    result.Write(replacement);
                }

                i += units;
                at += length;
            }

            return result.WrittenSpan.ToArray();
        }

        private void CodePoints(ReadOnlySpan<byte> cluster, ArrayBufferWriter<byte> result)
        {
            while (cluster.Length > 0)
            {
                ReadOnlySpan<byte> one = cluster[..Utf8Text.Length(cluster[0])];
                result.Write(map.TryFirst(one, out ReadOnlySpan<byte> replacement) ? replacement : one);
                cluster = cluster[one.Length..];
            }
        }
    }

    /// <summary>Small letters.</summary>
    internal sealed class Lowercase : NormalizerStep
    {
        /// <inheritdoc/>
        public override byte[] Apply(byte[] text) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).ToLowerInvariant());
    }

    /// <summary>A Unicode normalisation form; only where the runtime has the tables (an app with invariant globalisation has not).</summary>
    internal sealed class Form(NormalizationForm form) : NormalizerStep
    {
        /// <summary>Whether the runtime normalises at all.</summary>
        public static bool IsAvailable => "e\u0301".Normalize(NormalizationForm.FormC).Length == 1;

        /// <inheritdoc/>
        public override byte[] Apply(byte[] text) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).Normalize(form));
    }
}
