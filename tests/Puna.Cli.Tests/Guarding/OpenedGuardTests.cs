using Puna.Cli.Guarding;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Cli.Tests.Guarding;

public class OpenedGuardTests
{
    private static readonly ChatMessage[] Question = [new(ChatRole.User, "How do I read a line?")];

    [Fact]
    public void AReplyIsHeldBackUntilItHasBeenJudged()
    {
        int made = 0;
        IEnumerable<GenerationStep> Reply(params string[] texts)
        {
            foreach (string text in texts)
            {
                made++;
                yield return new GenerationStep(1, text, null, null);
            }
        }

        With(guard =>
        {
            GenerationStep first = guard.Hold(Reply("```c\n", "fgets(a, 9, stdin);", "\n```"), Question, TestContext.Current.CancellationToken).First();
            Assert.Equal(("```c\n", 3), (first.Text, made));
            ContentRefusedException refused = Assert.Throws<ContentRefusedException>(() => guard.Hold(Reply("```c\n", "ge", "ts(a);\n```"), Question, TestContext.Current.CancellationToken).First());
            Assert.Equal("reply refused by the guard: insecure code: Reads a line of any length into a buffer in line 2", refused.Message);
            Assert.Equal(1, Failure.Of(refused).ExitCode);
        });
    }

    private static void With(Action<OpenedGuard> use)
    {
        using var ops = new CpuOps(1);
        using var interrupts = new Interrupts(_ => throw new InvalidOperationException("exit"));
        Option<string?> option = OpenedGuard.Option();
        var args = new ParsedArguments();
        args.Add(option, "code");
        var context = new CommandContext(args, new Terminal(TextWriter.Null, TextWriter.Null, TextReader.Null), interrupts);
        using OpenedGuard guard = OpenedGuard.Open(context, option, ops, map: true)!;
        use(guard);
    }
}
