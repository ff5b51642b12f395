using Puna.Formats.Images;
using Puna.Runtime.Chat;
using Puna.Runtime.Constraints;
using Puna.Runtime.Filtering;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Chat;

namespace Puna.Runtime.Tests.Chat;

/// <summary>Pictures in conversations: what is refused, and that a conversation which goes on finds its pictures encoded.</summary>
public sealed class ConversationImagesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-conversations-").FullName;
    private readonly CpuOps _ops = new(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static byte[] Png => File.ReadAllBytes(TestFiles.Golden("images", "tiny.png"));

    public void Dispose()
    {
        _ops.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AConversationGoesOnWithItsPictures(bool isFused)
    {
        using LanguageModel model = LanguageModel.Open(Write(isFused));
        await using Engine engine = Engine.Start(model, _ops);
        var chat = new ChatEngine(engine);
        Assert.True(chat.SeesImages);
        string filler = new('q', 40);
        ChatRequest first = Ask(new ChatMessage(ChatRole.User, filler) { Images = [new ChatImage { Data = Png }] });
        GenerationUsage cold = await Read(chat, first);
        Assert.Equal(chat.CountTokens(first), cold.PromptTokens);
        Assert.Contains(isFused ? "<|patch|><|patch|>" : "<|image|>", chat.Render(first), StringComparison.Ordinal);
        ChatRequest next = first with { Messages = [.. first.Messages, new ChatMessage(ChatRole.Assistant, "x"), new ChatMessage(ChatRole.User, "more") { Images = [new ChatImage { At = 2, Data = Png }] }] };
        GenerationUsage warm = await Read(chat, next);
        Assert.Equal(32, warm.CachedTokens);
        Assert.Equal(1, engine.Statistics().EncodedImages);
    }

    [Fact]
    public async Task WhatCannotBeShownIsRefused()
    {
        using LanguageModel model = LanguageModel.Open(Write(isFused: false));
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { MaxImages = 2, ImageLimits = new ImageLimits(5000, 1000) });
        var chat = new ChatEngine(engine);
        void Refused<T>(string message, ChatMessage asked, ChatEngine? by = null)
            where T : PunaException => Assert.Contains(message, Assert.ThrowsAny<T>(() => (by ?? chat).Start(Ask(asked), Cancel)).Message, StringComparison.Ordinal);
        ChatImage good = new() { Data = Png };
        Refused<InvalidImageException>("images: expected at most 2 in a request, got 3", User(good, good, good));
        Refused<InvalidImageException>("picture 2 of message 1: expected its file, got none", User(good, new ChatImage()));
        Refused<InvalidImageException>("image: expected at most 5000 bytes, got 6000 (picture 1 of message 1)", User(new ChatImage { Data = new byte[6000] }));
        Refused<InvalidImageException>("expected PNG, GIF, JPEG or WebP", User(new ChatImage { Data = [1, 2, 3] }));
        Refused<PunaException>("message 1: expected no images but in a user's message", User(good) with { Role = ChatRole.Assistant });
        Refused<PunaException>("in the order of their places in the text", User(good with { At = 9 }));
        Refused<InvalidImageException>("expected text alone where a filter judges conversations", User(good), new ChatEngine(engine, new AllowsAll()));
        using LanguageModel text = LanguageModel.Open(TestFiles.EmbeddedModel);
        await using Engine other = Engine.Start(text, _ops);
        var blind = new ChatEngine(other);
        Assert.False(blind.SeesImages);
        Refused<InvalidImageException>("does not see", User(good), blind);
        Assert.Equal(0, engine.Statistics().EncodedImages);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PicturesCountFromBeforeTheyAreDecodedUntilTheirRequestEnds(bool isFused)
    {
        using LanguageModel model = LanguageModel.Open(Write(isFused));
        ChatImage good = new() { Data = Png }, damaged = new() { Data = [.. Png[..60], .. new byte[40]] };
        long capacity, each;
        await using (Engine measure = Engine.Start(model, _ops, new EngineOptions { ImageBytes = 1 }))
        {
            var chat = new ChatEngine(measure);
            capacity = long.Parse(Assert.Throws<PunaException>(() => chat.Start(Ask(User(good)), Cancel)).Message.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(0, chat.PixelBytes);
        }

        // The first step does not end, so that whatever was submitted stays.
        using var gate = new ManualResetEventSlim();
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { ImageBytes = capacity });
        var held = new ChatEngine(engine, null, new ScriptedCompiler((_, _) => new Waiting(gate)));
        ChatRequest request = Ask(User(good)) with { Format = new ReplyFormat(ReplyFormatKind.Regex, "x") };
        var replies = new List<ChatReply>();
        try
        {
            replies.Add(held.Start(request, Cancel));
            each = held.PixelBytes;
            Assert.True(each > 0, "one alone may have more than the bound");
            while (held.PixelBytes + each <= capacity)
            {
                replies.Add(held.Start(request, Cancel));
            }

            // Nothing looks at what is in the file, neither here nor where tokens are counted.
            var busy = Assert.Throws<EngineBusyException>(() => held.Start(Ask(User(damaged)), Cancel));
            Assert.Equal((EngineBusyReason.QueueLimit, $"pictures: expected at most {capacity} bytes of them in requests, got more"), (busy.Reason, busy.Message));
            Assert.Equal(held.CountTokens(Ask(User(good))), held.CountTokens(Ask(User(damaged))));
            Assert.Equal(each * replies.Count, held.PixelBytes);
        }
        finally
        {
            replies.ForEach(static reply => reply.Dispose());
            gate.Set();
        }

        for (int i = 0; i < 1000 && held.PixelBytes > 0; i++)
        {
            await Task.Delay(10, Cancel);
        }

        Assert.Throws<InvalidImageException>(() => held.Start(Ask(User(damaged)), Cancel));
        Assert.Equal(0, held.PixelBytes);
    }

    private static ChatMessage User(params ChatImage[] images) => new(ChatRole.User, "ab") { Images = images };

    private static ChatRequest Ask(ChatMessage message) => new() { Messages = [message], Sampling = SamplingOptions.Greedy, MaxTokens = 4 };

    private static async Task<GenerationUsage> Read(ChatEngine chat, ChatRequest request)
    {
        using ChatReply reply = chat.Start(request, Cancel);
        await foreach (ChatEvent _ in reply.ReadAsync(Cancel))
        {
        }

        return reply.Usage;
    }

    private string Write(bool isFused) => isFused ? SeeingModels.WriteFused(Path.Combine(_folder, "fused")) : SeeingModels.WriteCrossed(Path.Combine(_folder, "crossed"));

    private sealed class Waiting(ManualResetEventSlim gate) : ITokenConstraint
    {
        public ConstraintState Start() => new State(gate);

        private sealed class State(ManualResetEventSlim gate) : ConstraintState
        {
            public override bool IsAccepting => true;

            public override bool IsFinished => false;

            public override void FillMask(Span<uint> mask)
            {
                gate.Wait(Cancel);
                mask.Fill(uint.MaxValue);
            }

            public override bool TryAccept(int token) => true;

            public override ConstraintState Clone() => new State(gate);
        }
    }

    private sealed class AllowsAll : IContentFilter
    {
        public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default) => throw new InvalidOperationException("not to be asked about what it does not see");
    }
}
