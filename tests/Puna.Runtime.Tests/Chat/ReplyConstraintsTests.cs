using Puna.Runtime.Chat;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Chat;

public class ReplyConstraintsTests
{
    [Fact]
    public async Task TextsThatAreNoConversationsAreConstrainedToo()
    {
        using var ops = new CpuOps(1);
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        await using Engine engine = Engine.Start(model, ops);
        var constraints = new ReplyConstraints(engine);
        Assert.Null(constraints.Of(ReplyFormat.Text, TestContext.Current.CancellationToken));
        Assert.Contains("expected a definition", Assert.Throws<PunaException>(() => constraints.Of(new ReplyFormat(ReplyFormatKind.Grammar, null), TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        var digits = new ReplyFormat(ReplyFormatKind.Regex, "[0-9]{4}");
        Assert.Same(constraints.Of(digits, TestContext.Current.CancellationToken), constraints.Of(digits, TestContext.Current.CancellationToken));

        // It ends by itself, since nothing more fits, where the model alone would go on.
        using GenerationHandle handle = engine.Submit(
            new GenerationRequest { Prompt = model.Tokenizer!.EncodePrompt("Once"), MaxTokens = 50, Constraint = constraints.Of(digits, TestContext.Current.CancellationToken) }, TestContext.Current.CancellationToken);
        string text = "";
        await foreach (TokenEvent token in handle.Events.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            text += token.Text;
        }

        Assert.Matches("^[0-9]{4}$", text);
    }
}
