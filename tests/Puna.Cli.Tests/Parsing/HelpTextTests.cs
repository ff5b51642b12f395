using Puna.Cli.Hosting;
using Puna.Cli.Parsing;

namespace Puna.Cli.Tests.Parsing;

public class HelpTextTests
{
    [Fact]
    public void WritesThePage()
    {
        const string Expected =
            """
            puna sample: try the parser

            Usage:
              puna sample [options] [PROMPT]

            First paragraph, long enough to be broken somewhere in the
            middle of the line.

            Second paragraph.

            Arguments:
              PROMPT           A text

            Options:
              --json           A flag
              --model M        A file
              --prompt P       A text
              --stop S         A text that ends (may be repeated)
              --max-tokens N   A number (at least 1; default: 16)

            Numbers:
              --seed S         A number (default: random)
              --temperature T  A number (0 to 100; default: 0.8)
              --format F       A word (gguf, meta, safetensors; default:
                               gguf)
              --tokens 1,2,3   Ids
              -h, --help       Show this page

            Examples:
              puna sample --json
                  Tries it

            Exit codes: 0 done, 1 the work failed, 2 bad usage or bad
            input, 130 interrupted. An error is one line on standard
            error.

            """;
        Assert.Equal(Expected.ReplaceLineEndings("\n"), HelpText.Page(new SampleCommand(), 60));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(80)]
    [InlineData(120)]
    public void EveryPageNamesEveryOptionAndKeepsTheWidth(int width)
    {
        IReadOnlyList<Command> commands = CommandTable.All();
        foreach (Command command in commands)
        {
            string page = HelpText.Page(command, width);
            Assert.All(command.Options, option => Assert.Contains($"--{option.Name}", page, StringComparison.Ordinal));
            Assert.All(command.Arguments, argument => Assert.Contains(argument.Name, page, StringComparison.Ordinal));

            // Examples are to be copied: they are never broken.
            string[] examples = [.. command.Examples.Select(static e => "  " + e.Line)];
            Assert.All(page.Split('\n'), line => Assert.True(line.Length <= width || examples.Contains(line), line));
            Assert.DoesNotContain(" \n", page, StringComparison.Ordinal);
        }

        string overview = HelpText.Overview(commands, width);
        Assert.All(overview.Split('\n'), line => Assert.True(line.Length <= width, line));
        Assert.All(commands, command => Assert.Contains($"\n  {command.Name} ", overview, StringComparison.Ordinal));
    }

    [Fact]
    public void DefinitionsAreInOrder()
    {
        foreach (Command command in CommandTable.All())
        {
            Assert.Equal(command.Name, CommandTable.Find(command.Name).Name);
            Assert.Equal(command.Options.Count(), command.Options.Select(static o => o.Name).Distinct().Count());
            Assert.Equal(command.Arguments.OrderByDescending(static a => a.IsRequired), command.Arguments);
            Assert.False(command.Summary.EndsWith('.'), command.Summary);
            Assert.EndsWith(".", command.Description, StringComparison.Ordinal);
            Assert.All(command.Options, option => Assert.False(option.Summary.EndsWith('.'), option.Summary));
            Assert.All(command.Examples, example => Assert.Contains($"puna {command.Name}", example.Line, StringComparison.Ordinal));
        }
    }
}
