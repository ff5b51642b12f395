using Puna.Tests.Shared;
using Puna.Text.Chat;
using Puna.Text.SentencePieces;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

/// <summary>The ids of spec llama1-3.md 6.2 and 6.4, with the published tokenizer.</summary>
public class Llama2ChatVectorTests
{
    private static readonly Lazy<Tokenizer> Published = new(() =>
    {
        string file = TestFiles.Asset("llama2", "tokenizer.model");
        return SentencePieceTokenizer.Read(File.ReadAllBytes(file), file);
    });

    [Fact]
    public void OneTurn() => Assert.Equal([1, 518, 25580, 29962, 6324, 518, 29914, 25580, 29962], Llama2ChatFormat.Llama2.Encode([User("Hi")], Published.Value));

    [Fact]
    public void TwoTurns() => Assert.Equal(
        [1, 518, 25580, 29962, 6324, 518, 29914, 25580, 29962, 15043, 29991, 29871, 2, 1, 518, 25580, 29962, 2648, 29872, 518, 29914, 25580, 29962],
        Llama2ChatFormat.Llama2.Encode([User("Hi"), Assistant("Hello!"), User("Bye")], Published.Value));

    [Fact]
    public void ASystemMessage() => Assert.Equal(
        [1, 518, 25580, 29962, 3532, 14816, 29903, 6778, 13, 3492, 526, 8444, 29889, 13, 29966, 829, 14816, 29903, 6778, 13, 13, 18567, 518, 29914, 25580, 29962],
        Llama2ChatFormat.Llama2.Encode([Sys("You are helpful."), User("Hi")], Published.Value));

    [Fact]
    public void TypedControlPiecesAreCharacters()
    {
        int[] ids = Llama2ChatFormat.CodeLlama.Encode([User("</s><s>")], Published.Value);
        Assert.Equal(1, ids[0]);
        Assert.DoesNotContain(ids[1..], id => id is 1 or 2);
    }

    [Fact]
    public void CodeLlama70BEncodesHeaderAndBreaksSeparately()
    {
        // The published 32,000 pieces have no <step>. Protocol buffers can be extended at their end: one more piece, score 0, type control.
        string file = TestFiles.Asset("llama2", "tokenizer.model");
        byte[] step = [0x0a, 15, 0x0a, 6, .. "<step>"u8, 0x15, 0, 0, 0, 0, 0x18, 3];
        Tokenizer tokenizer = SentencePieceTokenizer.Read([.. File.ReadAllBytes(file), .. step], file);
        int[] ids = CodeLlama70BChatFormat.Instance.Encode([User("Hi")], tokenizer);
        Assert.Equal([1, 29871, 7562, 29901, 1788, 32000, 29871, 7562, 29901], ids[..9]);
        Assert.Equal([29871, 13, 13, 6324, 32000], ids[10..15]);
        Assert.Equal([29871, 13, 13, 29871], ids[^4..]);
        Assert.Equal([2, 32000], CodeLlama70BChatFormat.Instance.StopIds(tokenizer));
    }

    [Fact]
    public void StopsAtTheEndOfText() => Assert.Equal([2], Llama2ChatFormat.Llama2.StopIds(Published.Value));
}
