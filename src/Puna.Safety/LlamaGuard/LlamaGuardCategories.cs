using Puna.Tensors;

namespace Puna.Safety.LlamaGuard;

/// <summary>
/// The categories each version was trained on (Purple Llama model cards; Meta's llama-recipes <c>prompt_format_utils.py</c> and llama-stack <c>llama_guard.py</c>; spec llama1-3.md 6.9). Names as the published prompts
/// write them; the card of Llama Guard 4 names three of them otherwise, llama-stack gives it these.
/// </summary>
public static class LlamaGuardCategories
{
    private static readonly string[] First =
        ["Violence and Hate", "Sexual Content", "Criminal Planning", "Guns and Illegal Weapons", "Regulated or Controlled Substances", "Self-Harm"];

    private static readonly string[] Second =
    [
        "Violent Crimes", "Non-Violent Crimes", "Sex Crimes", "Child Exploitation", "Specialized Advice", "Privacy", "Intellectual Property", "Indiscriminate Weapons", "Hate", "Self-Harm", "Sexual Content",
    ];

    private static readonly string[] Third =
    [
        "Violent Crimes", "Non-Violent Crimes", "Sex Crimes", "Child Exploitation", "Defamation", "Specialized Advice", "Privacy", "Intellectual Property", "Indiscriminate Weapons", "Hate", "Self-Harm", "Sexual Content",
        "Elections",
    ];

    /// <summary>The categories of a version. Code Interpreter Abuse (S14) is among those of Llama Guard 3 8B; the card of Llama Guard 4 has it for text about tools, see <see cref="CodeInterpreterAbuse"/>.</summary>
    public static IReadOnlyList<GuardCategory> Of(LlamaGuardVersion version) => version switch
    {
        LlamaGuardVersion.One => Number('O', First),
        LlamaGuardVersion.Two => Number('S', Second),
        LlamaGuardVersion.Three8B => [.. Number('S', Third), CodeInterpreterAbuse],
        _ => Number('S', Third),
    };

    /// <summary>Category S14.</summary>
    public static GuardCategory CodeInterpreterAbuse { get; } = new("S14", "Code Interpreter Abuse");

    /// <summary>Refuses lists a verdict could not be read with.</summary>
    /// <exception cref="PunaException">No category, a code that is not letters and digits or occurs twice, a name or policy that could end the list.</exception>
    public static void Validate(IReadOnlyList<GuardCategory> categories)
    {
        if (categories.Count == 0)
        {
            throw new PunaException("categories: expected at least one, got none");
        }

        var codes = new HashSet<string>(StringComparer.Ordinal);
        foreach (GuardCategory category in categories)
        {
            if (!GuardVerdict.IsCode(category.Code))
            {
                throw new PunaException($"category {category.Code}: expected a letter and a number as its code");
            }

            if (!codes.Add(category.Code))
            {
                throw new PunaException($"category {category.Code}: expected once, got it again");
            }

            if (string.IsNullOrWhiteSpace(category.Name) || category.Name.AsSpan().ContainsAny('\n', '\r') || $"{category.Name}{category.Policy}".Contains("<END UNSAFE CONTENT CATEGORIES>", StringComparison.Ordinal))
            {
                throw new PunaException($"category {category.Code}: expected a name of one line, and no end of the list in it, got {category.Name}");
            }
        }
    }

    private static GuardCategory[] Number(char letter, string[] names) => [.. names.Select((name, i) => new GuardCategory($"{letter}{i + 1}", name))];
}
