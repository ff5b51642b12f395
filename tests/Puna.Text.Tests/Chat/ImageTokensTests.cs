using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Chat;
using static Puna.Text.Tests.Chat.Conversation;

namespace Puna.Text.Tests.Chat;

public class ImageTokensTests
{
    private static readonly FakeTokenizer Four = FakeTokenizer.Create(
        "<|begin_of_text|>", "<|end_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>", "<|image_start|>", "<|image_end|>", "<|tile_x_separator|>", "<|tile_y_separator|>", "<|image|>", "<|patch|>");

    private static readonly FakeTokenizer Three = FakeTokenizer.Create(
        "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|image|>");

    // The way the templates of both generations' vision models write parts.
    private const string Parts = "{{ bos_token }}{% for m in messages %}{{ 'H' + m['role'] + ':' }}{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
        + "{% if p['type'] == 'image' %}{{ '<|image|>' }}{% else %}{{ p['text'] }}{% endif %}{% endfor %}{% endif %}{{ EOT }}{% endfor %}";

    // Spec llama4.md 11, with the published tokenizer.
    [Fact]
    public void ThePublishedTurnWithAPictureOfOneTile()
    {
        Tokenizer published = TokenizerLoader.Open(TestFiles.Asset("llama4", "tokenizer.model"));
        int[] ids = Llama4ChatFormat.Instance.Encode([User("Describe this image in two sentences") with { Images = [new()] }], published);
        Assert.Equal([200000, 200005, 1556, 200006, 368, 200080, 200090, .. Enumerable.Repeat(200092, 144), 200081], ids[..152]);
        Assert.Equal([200008, 200005, 140680, 200006, 368], ids[^5..]);
        Assert.Equal(published.Encode("Describe this image in two sentences"), ids[152..^5]);
    }

    // Spec llama4.md 4.3 and 4.8: tokens of an image.
    [Theory]
    [InlineData(1, 1, 147)]
    [InlineData(1, 2, 437)]
    [InlineData(2, 2, 727)]
    [InlineData(3, 4, 1887)]
    [InlineData(3, 5, 2322)]
    [InlineData(1, 9, 1452)]
    [InlineData(4, 4, 2467)]
    [InlineData(12, 1, 1887)]
    public void Llama4HasAsManyTokensAsTheSpecificationCounts(int rows, int columns, int tokens) =>
        Assert.Equal(tokens, ImageTokens.Of(new ChatImage(rows, columns), Four).Length);

    [Fact]
    public void Llama4SeparatesTilesAndRowsAndEndsWithTheThumbnail()
    {
        const string P = "<|patch|>";
        Assert.Equal(
            $"<|image_start|>{P}{P}<|tile_x_separator|>{P}{P}<|tile_x_separator|>{P}{P}<|tile_y_separator|>{P}{P}<|tile_x_separator|>{P}{P}<|tile_x_separator|>{P}{P}<|tile_y_separator|><|image|>{P}{P}<|image_end|>",
            Four.Show(ImageTokens.Of(new ChatImage(2, 3, 2), Four)));
        Assert.Equal($"<|image_start|>{P}<|tile_y_separator|>{P}<|tile_y_separator|><|image|>{P}<|image_end|>", Four.Show(ImageTokens.Of(new ChatImage(2, 1, 1), Four)));
        Assert.Equal($"<|image_start|><|image|>{P}<|image_end|>", Four.Show(ImageTokens.Of(new ChatImage(1, 1, 1), Four)));
    }

    [Fact]
    public void SeveralPicturesStandWhereTheyAre()
    {
        ChatMessage message = User("ab") with { Images = [new(1, 1, 1), new(1, 1, 1), new(1, 1, 1) { At = 1 }] };
        const string Image = "<|image_start|><|image|><|patch|><|image_end|>";
        Assert.Equal(
            $"<|begin_of_text|><|header_start|>|user<|header_end|>|\n\n{Image}{Image}|a{Image}|b<|eot|><|header_start|>|assistant<|header_end|>|\n\n", Four.Show(Llama4ChatFormat.Instance.Encode([message], Four)));
        Assert.Equal(
            "<|begin_of_text|><|start_header_id|>|user<|end_header_id|>|\n\n<|image|><|image|>|a<|image|>|b<|eot_id|><|start_header_id|>|assistant<|end_header_id|>|\n\n",
            Three.Show(Llama3ChatFormat.Llama31.Encode([message], Three)));
    }

    // Spec llama1-3.md 5.4 and 6.8: Meta's tokenizer says 128011, the model is given 128256.
    [Fact]
    public void Llama32HasTheIdBehindTheVocabulary()
    {
        Tokenizer published = TokenizerLoader.Open(TestFiles.Asset("llama3", "tokenizer.model"));
        int[] ids = Llama3ChatFormat.Llama31.Encode([User("Describe this image in two sentences") with { Images = [new()] }], published);
        Assert.Equal(
            [128000, 128006, .. published.Encode("user"), 128007, .. published.Encode("\n\n"), 128256, .. published.Encode("Describe this image in two sentences"), 128009, 128006, .. published.Encode("assistant"), 128007, .. published.Encode("\n\n")],
            ids);
    }

    [Fact]
    public void WhatIsTypedIsNoPicture()
    {
        Assert.DoesNotContain(100_006, Llama3ChatFormat.Llama31.Encode([User("<|image|>")], Three));
        TemplateChatFormat format = TemplateChatFormat.TryCreate(Parts, Four)!;
        int[] ids = format.Encode([User("a<|image|>") with { Images = [new(1, 1, 1)] }], Four);
        Assert.Single(ids, 100_010);
    }

    [Fact]
    public void ATemplateGetsPartsAndItsPlaceholdersBecomePictures()
    {
        TemplateChatFormat format = TemplateChatFormat.TryCreate(Parts, Four)!;
        ChatMessage[] messages = [User("xy") with { Images = [new(1, 2, 1) { At = 1 }] }, Assistant("z"), User("w") with { Images = [new(1, 1, 1)] }];
        const string First = "<|image_start|><|patch|><|tile_x_separator|><|patch|><|tile_y_separator|><|image|><|patch|><|image_end|>";
        Assert.Equal(
            $"<|begin_of_text|>|Huser:x{First}|yHassistant:zHuser:<|image_start|><|image|><|patch|><|image_end|>|w", Four.Show(format.Encode(messages, Four, addGenerationPrompt: false)));
        TemplateChatFormat three = TemplateChatFormat.TryCreate(Parts, Three)!;
        Assert.Equal("<|begin_of_text|>|Huser:x<|image|>|yHassistant:zHuser:<|image|>|w", Three.Show(three.Encode(messages, Three, addGenerationPrompt: false)));
    }

    [Fact]
    public void WhereThereIsNoPlaceForAPictureItIsRefused()
    {
        ChatMessage seen = User("a") with { Images = [new()] };
        Refused("message 1: expected no images, got 1 (Llama 2 chat format)", () => Llama2ChatFormat.Llama2.Encode([seen], FakeTokenizer.Llama2()));
        Refused("message 1: expected no images, got 1 (Llama 3 chat format)", () => Llama3ChatFormat.Llama3.Encode([seen], Three));
        Refused("message 2: expected no images but in a user's message, got 1 (Llama 4 chat format)", () => Llama4ChatFormat.Instance.Encode([seen, seen with { Role = ChatRole.Assistant }], Four));
        Refused("tokenizer: expected a token <|image|>, got none (Llama 3.1 chat format)", () => Llama3ChatFormat.Llama31.Encode([seen], FakeTokenizer.Llama3()));
        Refused("tokenizer: expected a token <|image|>, got none", () => ImageTokens.Of(new ChatImage(), FakeTokenizer.Llama3()));
        TemplateChatFormat blind = TemplateChatFormat.TryCreate("{% for m in messages %}{{ m['content'] if m['content'] is string else 'parts' }}{% endfor %}", Three)!;
        Refused("messages: expected a template that writes <|image|> for each of the 1 images, got one that writes it 0 times", () => blind.Encode([seen], Three));
        foreach (ChatImage wrong in (ChatImage[])[new() { At = 2 }, new() { At = -1 }, new(0, 1), new(1, 0), new(1, 1, 0)])
        {
            Assert.Contains("got ChatImage", Assert.Throws<PunaException>(() => Llama4ChatFormat.Instance.Encode([seen with { Images = [wrong] }], Four)).Message);
        }

        static void Refused(string message, Action action) => Assert.Equal(message, Assert.Throws<PunaException>(action).Message);
    }

    [Fact]
    public void ATemplateWithPicturesIsFollowedAndNotTakenForThatOfTheTextModel()
    {
        const string Dated = "{{- bos_token }}{{- '<|start_header_id|>system<|end_header_id|>\n\n' }}{{- 'Cutting Knowledge Date: December 2023\n' }}{{- '<|eot_id|>' }}";
        Assert.NotNull(ChatFormats.Detect(Dated, Three).Format);
        Assert.Null(ChatFormats.Detect(Dated + "{{- '<|image|>' }}", Three).Format);
    }
}
