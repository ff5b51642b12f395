using System.Text.RegularExpressions;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Tests.Data.Altiplano;

/// <summary>What a primer asks has been told, names come back, and nothing of the phrasings is left open.</summary>
public sealed partial class PrimerTests
{
    [Fact]
    public void AnswersAreToldAndNamesComeBack()
    {
        int back = 0;
        for (int index = 0; index < 300; index++)
        {
            string text = Primer.Tell(1, index);
            Assert.Equal(text, Primer.Tell(1, index));
            Assert.DoesNotContain('[', text);
            string[] parts = text.Split("\n\n");
            Assert.Equal(2, parts.Length);
            int mark = parts[1].IndexOf('?', StringComparison.Ordinal);
            string answer = parts[1][(mark + 2)..].TrimEnd('.');
            Assert.Contains(answer, parts[0], StringComparison.OrdinalIgnoreCase);
            back += Names().Matches(text).GroupBy(static m => m.Value).Count(static g => g.Count() > 2);
        }

        // Fewer than one name in three texts that is said three times would not teach anything.
        Assert.True(back > 100, $"{back} names came back");
        Assert.NotEqual(Primer.Tell(1, 0), Primer.Tell(2, 0));
    }

    [GeneratedRegex("[A-Z][a-z]{2,}")]
    private static partial Regex Names();
}
