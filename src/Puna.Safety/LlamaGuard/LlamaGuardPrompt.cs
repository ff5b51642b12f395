using System.Text;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Safety.LlamaGuard;

/// <summary>
/// The question put to a Llama Guard (spec llama1-3.md 6.9), byte for byte as published. Control tokens are put in as ids, and everything else, the judged messages above all, is tokenised without special tokens: nothing in
/// a message can end the question or answer it.
/// </summary>
public sealed class LlamaGuardPrompt
{
    private const string Image = "<|image|>";

    private readonly List<(string Text, bool IsControl)> _pieces = [];

    /// <summary>Builds the question about the last message.</summary>
    /// <param name="version">The model.</param>
    /// <param name="conversation">At least one message.</param>
    /// <param name="categories">What to look for; null means the version's own.</param>
    /// <param name="layout">Which published form.</param>
    /// <exception cref="PunaException">No message, roles that do not alternate from the user on, pictures for a model without eyes, or unusable categories.</exception>
    public LlamaGuardPrompt(LlamaGuardVersion version, IReadOnlyList<GuardMessage> conversation, IReadOnlyList<GuardCategory>? categories = null, LlamaGuardLayout layout = LlamaGuardLayout.Template)
    {
        Categories = categories ?? LlamaGuardCategories.Of(version);
        LlamaGuardCategories.Validate(Categories);
        Check(version, conversation);
        string body = Body(version, conversation, Categories, layout);
        int images = conversation.Sum(static m => m.Images);
        switch (version)
        {
            case LlamaGuardVersion.One:
            case LlamaGuardVersion.Two when layout == LlamaGuardLayout.Recipes:
                HasBos = true;
                Add($"[INST] {body} [/INST]");
                break;
            case LlamaGuardVersion.Four:
                Frame("<|begin_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "\n\n", images, body, "\n\n");
                break;
            case LlamaGuardVersion.Three8B or LlamaGuardVersion.Three1B or LlamaGuardVersion.Three11BVision when layout == LlamaGuardLayout.Recipes:
                Frame("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", " ", images, body + " ", "");
                break;
            case LlamaGuardVersion.Three11BVision:
                // The template published with it leaves a space at the end and no blank line for the answer; one picture at most, marked before the task.
                Frame("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "\n\n", images, (images > 0 ? " " : "") + body + " ", "");
                break;
            default:
                Frame("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "\n\n", images, body, "\n\n");
                break;
        }
    }

    /// <summary>What was asked for.</summary>
    public IReadOnlyList<GuardCategory> Categories { get; }

    /// <summary>Whether the tokenizer's own beginning of a text comes first; otherwise its name is written out.</summary>
    public bool HasBos { get; }

    /// <summary>The prompt as text, control tokens by their names: for display and tests, never to be tokenised.</summary>
    public override string ToString() => string.Concat(_pieces.Select(static p => p.Text));

    /// <summary>The prompt as ids.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="places">The tokens that stand for each picture; null gives each those of a single tile.</param>
    /// <exception cref="PunaException">The tokenizer lacks a control token: it is not that of this version.</exception>
    public int[] Encode(Tokenizer tokenizer, IReadOnlyList<ChatImage>? places = null)
    {
        int pictures = 0;
        var ids = new List<int>();
        if (HasBos && tokenizer.BosId is int bos)
        {
            ids.Add(bos);
        }

        foreach ((string text, bool isControl) in _pieces)
        {
            if (isControl && text == Image)
            {
                ids.AddRange(ImageTokens.Of(places?[pictures++] ?? new ChatImage(), tokenizer));
            }
            else if (isControl)
            {
                ids.Add(tokenizer.IdOf(text) ?? throw new PunaException($"tokenizer: expected a token {text} of a Llama Guard, got none (another version may fit)"));
            }
            else
            {
                tokenizer.Encode(text, ids, SpecialTokens.None);
            }
        }

        return [.. ids];
    }

    private static void Check(LlamaGuardVersion version, IReadOnlyList<GuardMessage> conversation)
    {
        if (conversation.Count == 0)
        {
            throw new PunaException("conversation: expected at least one message, got none");
        }

        for (int i = 0; i < conversation.Count; i++)
        {
            GuardRole expected = i % 2 == 0 ? GuardRole.User : GuardRole.Agent;
            if (conversation[i].Role != expected)
            {
                throw new PunaException($"message {i + 1}: expected one of the {(expected == GuardRole.User ? "user" : "agent")}, got one of the other (Llama Guard's conversations alternate)");
            }
        }

        int images = conversation.Sum(static m => m.Images), most = version switch { LlamaGuardVersion.Three11BVision => 1, LlamaGuardVersion.Four => int.MaxValue, _ => 0 };
        if (images > most)
        {
            throw new PunaException($"images: expected at most {most} for Llama Guard {version.Name()}, got {images}");
        }
    }

    private static string Body(LlamaGuardVersion version, IReadOnlyList<GuardMessage> conversation, IReadOnlyList<GuardCategory> categories, LlamaGuardLayout layout)
    {
        bool isFirst = version == LlamaGuardVersion.One;
        string role = conversation[^1].Role.ToString(), list = isFirst ? "" : " ";
        string behindName = layout == LlamaGuardLayout.Recipes && !isFirst ? ". " : ".";
        var text = new StringBuilder();
        text.Append($"Task: Check if there is unsafe content in '{role}' messages in conversations according our safety policy with the below categories.\n\n<BEGIN UNSAFE CONTENT CATEGORIES>\n");
        foreach (GuardCategory category in categories)
        {
            text.Append(category.Code).Append(": ").Append(category.Name).Append(behindName).Append('\n');
            if (category.Policy is string policy)
            {
                text.Append(policy).Append('\n');
            }
        }

        text.Append("<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n");
        foreach (GuardMessage message in conversation)
        {
            text.Append(message.Role).Append(": ").Append(layout == LlamaGuardLayout.Template ? Strip(message.Text) : message.Text).Append("\n\n");
        }

        string about = isFirst ? $"{role} in" : $"ONLY THE LAST {role} message in";
        text.Append($"<END CONVERSATION>\n\nProvide your safety assessment for {about} the above conversation:\n{list}- First line must read 'safe' or 'unsafe'.\n");
        return text.Append($"{list}- If unsafe, a second line must include a comma-separated list of violated categories.").ToString();
    }

    /// <summary>As the templates' <c>trim</c> (Python's <c>strip</c>), which takes four control characters more for white space than .NET does.</summary>
    private static string Strip(string text)
    {
        static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1C' and <= '\x1F';
        int start = 0, end = text.Length;
        while (start < end && IsSpace(text[start]))
        {
            start++;
        }

        while (end > start && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[start..end];
    }

    private void Frame(string bos, string start, string end, string eot, string before, int images, string body, string behind)
    {
        Control(bos);
        Control(start);
        Add("user");
        Control(end);
        if (images > 0)
        {
            Add(before);
            for (int i = 0; i < images; i++)
            {
                Control(Image);
            }

            Add(body);
        }
        else
        {
            Add(before + body);
        }

        Control(eot);
        Control(start);
        Add("assistant");
        Control(end);
        Add(behind);
    }

    private void Add(string text)
    {
        if (text.Length > 0)
        {
            _pieces.Add((text, false));
        }
    }

    private void Control(string name) => _pieces.Add((name, true));
}
