using System.Text;
using Puna.Text;

namespace Puna.Text.Tests.Chat;

/// <summary>
/// One id per UTF-16 unit, and one before each text that is encoded by itself, so that a test sees where the borders are; special tokens have ids
/// from 100,000 and are recognised only where allowed. No real tokenizer, so that what is tested is the chat format alone.
/// </summary>
internal sealed class FakeTokenizer : Tokenizer
{
    private const int Border = 99_999;
    private readonly string[] _special;

    private FakeTokenizer(TokenRoles roles, string[] special)
        : base(roles) => _special = special;

    public override TokenizerKind Kind => TokenizerKind.SentencePiece;

    public override int VocabularySize => 100_000 + _special.Length;

    /// <summary>The first special token is BOS and the second EOS.</summary>
    public static FakeTokenizer Create(params string[] special) => new(new TokenRoles { Bos = 100_000, Eos = 100_001, Stop = [100_001] }, special);

    public static FakeTokenizer Llama2() => Create("<s>", "</s>");

    public static FakeTokenizer CodeLlama70B() => Create("<s>", "</s>", "<step>");

    public static FakeTokenizer ChatMl() => Create("<s>", "</s>", "<|im_start|>", "<|im_end|>");

    public static FakeTokenizer Llama3() =>
        Create("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|python_tag|>");

    public static FakeTokenizer Llama4() =>
        Create("<|begin_of_text|>", "<|end_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>", "<|python_start|>");

    /// <summary>Ids as text: a bar where a text begins, special tokens by name.</summary>
    public string Show(IEnumerable<int> ids, string border = "|") => string.Concat(ids.Select(id => id == Border ? border : id >= 100_000 ? _special[id - 100_000] : ((char)id).ToString()));

    private protected override void EncodeCore(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens special)
    {
        Assert.True(special.IsNone, "text of messages must not be searched for special tokens");
        if (text.Length > 0)
            ids.Add(Border);
        foreach (char c in Encoding.UTF8.GetString(text))
            ids.Add(c);
    }

    public override string Piece(int id) => id >= 100_000 ? _special[id - 100_000] : ((char)id).ToString();

    public override int? IdOf(string piece) => Array.IndexOf(_special, piece) is >= 0 and int index ? 100_000 + index : null;

    public override bool IsSpecial(int id) => id >= 100_000;

    public override ReadOnlySpan<byte> TokenBytes(int id) => Encoding.UTF8.GetBytes(Piece(id));

    public override IncrementalDecoder CreateDecoder(bool skipSpecial = false) => throw new NotSupportedException();
}
