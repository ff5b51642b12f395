using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Puna.Tensors;

namespace Puna.Text;

/// <summary>
/// Text to ids and back. Instances are immutable and may be used from any number of threads at once. Open one with
/// <c>TokenizerLoader.Open</c> (a file or folder) or <c>GgufTokenizer.Create</c> (the vocabulary inside a GGUF file).
/// </summary>
/// <remarks>
/// Characters are UTF-16 as everywhere in .NET; a lone surrogate counts as U+FFFD. Encoding never adds BOS or EOS: ask <see cref="AddBos"/> and
/// <see cref="BosId"/>, or use <see cref="EncodePrompt"/>.
/// </remarks>
public abstract class Tokenizer
{
    /// <summary>Creates the common part.</summary>
    protected Tokenizer(TokenRoles roles) => Roles = roles;

    /// <summary>How this tokenizer works.</summary>
    public abstract TokenizerKind Kind { get; }

    /// <summary>One more than the greatest id: special tokens included. A model may have more rows than that, never fewer.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>All roles and defaults in one value; see <see cref="WithRoles"/>.</summary>
    public TokenRoles Roles { get; private set; }

    /// <summary>Beginning of a text.</summary>
    public int? BosId => Roles.Bos;

    /// <summary>End of a text.</summary>
    public int? EosId => Roles.Eos;

    /// <summary>End of a turn.</summary>
    public int? EotId => Roles.Eot;

    /// <summary>End of a message that awaits a tool's answer.</summary>
    public int? EomId => Roles.Eom;

    /// <summary>Padding.</summary>
    public int? PadId => Roles.Pad;

    /// <summary>Unknown.</summary>
    public int? UnkId => Roles.Unk;

    /// <summary>Generation ends at any of these; ascending.</summary>
    public IReadOnlyList<int> StopIds => Roles.Stop;

    /// <summary>Whether <see cref="EncodePrompt"/> puts <see cref="BosId"/> in front.</summary>
    public bool AddBos => Roles.AddBos;

    /// <summary>Whether <see cref="EncodePrompt"/> appends <see cref="EosId"/>.</summary>
    public bool AddEos => Roles.AddEos;

    /// <summary>The same tokenizer with other roles (for example the stop ids of a <c>generation_config.json</c>); shares all tables.</summary>
    public Tokenizer WithRoles(TokenRoles roles)
    {
        var copy = (Tokenizer)MemberwiseClone();
        copy.Roles = roles;
        return copy;
    }

    /// <summary>Appends the ids of <paramref name="text"/> to <paramref name="ids"/>; makes no garbage beyond the list's own growth.</summary>
    /// <param name="text">The characters.</param>
    /// <param name="ids">Receives the ids.</param>
    /// <param name="special">Which special tokens are recognised in the text; none where absent.</param>
    public void Encode(ReadOnlySpan<char> text, List<int> ids, SpecialTokens? special = null)
    {
        byte[]? rented = null;
        Span<byte> utf8 = text.Length <= 512 ? stackalloc byte[512 * 3] : (rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length)));
        int length = Encoding.UTF8.GetBytes(text, utf8);
        EncodeCore(utf8[..length], ids, special ?? SpecialTokens.None);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Appends the ids of a UTF-8 text; where it is not UTF-8, U+FFFD takes the place of what the original implementation would replace.</summary>
    /// <param name="text">The bytes.</param>
    /// <param name="ids">Receives the ids.</param>
    /// <param name="special">Which special tokens are recognised in the text; none where absent.</param>
    public void EncodeUtf8(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens? special = null)
    {
        if (Utf8.IsValid(text))
        {
            EncodeCore(text, ids, special ?? SpecialTokens.None);
        }
        else
        {
            EncodeCore(Repair(text), ids, special ?? SpecialTokens.None);
        }
    }

    /// <summary>The ids of <paramref name="text"/>, without BOS and EOS.</summary>
    public int[] Encode(ReadOnlySpan<char> text, SpecialTokens? special = null)
    {
        var ids = new List<int>((text.Length / 3) + 4);
        Encode(text, ids, special);
        return [.. ids];
    }

    /// <summary>The ids of <paramref name="text"/>, with BOS and EOS where <see cref="AddBos"/> and <see cref="AddEos"/> say so.</summary>
    public int[] EncodePrompt(ReadOnlySpan<char> text, SpecialTokens? special = null)
    {
        var ids = new List<int>((text.Length / 3) + 4);
        if (AddBos && BosId is int bos)
        {
            ids.Add(bos);
        }

        Encode(text, ids, special);
        if (AddEos && EosId is int eos)
        {
            ids.Add(eos);
        }

        return [.. ids];
    }

    /// <summary>The text of <paramref name="ids"/>, by the rules of the original implementation.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecial">Leaves special tokens out; SentencePiece leaves control pieces out in any case.</param>
    /// <exception cref="PunaException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false)
    {
        IncrementalDecoder decoder = CreateDecoder(skipSpecial);
        var text = new StringBuilder();
        foreach (int id in ids)
        {
            decoder.Push(id, text);
        }

        decoder.Flush(text);
        return text.ToString();
    }

    /// <summary>A decoder for one sequence that arrives token by token.</summary>
    public abstract IncrementalDecoder CreateDecoder(bool skipSpecial = false);

    /// <summary>The bytes this token adds in the middle of a text (▁ is a space, a special token its own text, a control piece of SentencePiece nothing).</summary>
    /// <exception cref="PunaException">The id is outside the vocabulary.</exception>
    public abstract ReadOnlySpan<byte> TokenBytes(int id);

    /// <summary>The token's entry in the vocabulary as its file has it: <c>▁Hello</c>, <c>&lt;0x0A&gt;</c>, <c>Ġworld</c>, <c>&lt;|eot_id|&gt;</c>; for tiktoken the text of its bytes.</summary>
    /// <exception cref="PunaException">The id is outside the vocabulary.</exception>
    public abstract string Piece(int id);

    /// <summary>The id whose <see cref="Piece"/> this is, or null.</summary>
    public abstract int? IdOf(string piece);

    /// <summary>Whether the token has no text of its own: control and unknown pieces, special tokens.</summary>
    public abstract bool IsSpecial(int id);

    /// <summary>The text of one token alone: <see cref="TokenBytes"/> as UTF-8, ill-formed parts as U+FFFD.</summary>
    public string TokenText(int id) => Encoding.UTF8.GetString(TokenBytes(id));

    /// <summary>Appends the ids of well-formed UTF-8.</summary>
    private protected abstract void EncodeCore(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens special);

    /// <summary>Makes bytes well-formed: one U+FFFD per maximal ill-formed part, as Python, Rust and .NET do it.</summary>
    private protected virtual byte[] Repair(ReadOnlySpan<byte> text) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));

    /// <summary>Throws where <paramref name="id"/> is no token.</summary>
    protected void CheckId(int id)
    {
        if ((uint)id >= (uint)VocabularySize)
        {
            throw new PunaException($"token id: expected 0 to {VocabularySize - 1}, got {id}");
        }
    }
}
