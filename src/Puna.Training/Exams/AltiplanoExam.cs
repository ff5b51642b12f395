using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Text.Chat;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Exams;

/// <summary>What a model knows of stories of the Altiplano world that it has never seen: are its answers true, and is its own telling grammatical?</summary>
public static class AltiplanoExam
{
    // A true answer is a few words; a reply that lists half the story is none.
    private const int WordsBeside = 3;
    private const int ReplyTokens = 24;
    private const int StoryTokens = 160;

    // A story is known by its beginning: so many words are given.
    private const int BeginningWords = 5;

    // Not "one", which also tells "one morning".
    private static readonly HashSet<string> Numbers = [.. Enumerable.Range(2, 19).Select(static n => English.Number(n, false))];

    /// <summary>Examines a model.</summary>
    /// <param name="model">With a tokenizer; without a chat format no questions are asked.</param>
    /// <param name="ops">The device.</param>
    /// <param name="seed">Of the world.</param>
    /// <param name="questions">Questions, each about another held-out story.</param>
    /// <param name="stories">Held-out beginnings to continue.</param>
    /// <param name="progress">Told how many answers have been given.</param>
    /// <param name="stop">Ends it.</param>
    public static AltiplanoExamResult Run(LanguageModel model, CpuOps ops, ulong seed, int questions, int stories, Action<int, int>? progress = null, CancellationToken stop = default)
    {
        using var session = new Session(model, ops);
        var answers = new List<AltiplanoAnswer>();
        ChatFormat? format = model.Chat?.Format;
        for (int i = 0; i < questions && format is not null; i++)
        {
            AltiplanoStory story = StoryTeller.Tell(seed, AltiplanoSplit.Index(SplitPart.Test, i));
            AltiplanoQuestion question = story.Questions[i % story.Questions.Count];
            string prompt = $"Read this story.\n\n{story.Text}\n\n{question.Text}";
            var options = new GenerationOptions { MaxTokens = ReplyTokens, Sampling = SamplingOptions.Greedy, StopIds = format.StopIds(model.Tokenizer!) };
            string reply = string.Concat(session.Generate(format.Encode([new ChatMessage(ChatRole.User, prompt)], model.Tokenizer!), options, stop).Select(static s => s.Text)).Trim();
            answers.Add(new AltiplanoAnswer(question, reply, IsTrue(question, reply), IsTrue(question, Guess(story, question))));
            progress?.Invoke(i + 1, questions + stories);
        }

        var told = new List<string>();
        var originals = new List<string>();
        for (int i = 0; i < stories; i++)
        {
            string original = StoryTeller.Tell(seed, AltiplanoSplit.Index(SplitPart.Test, questions + i)).Text;
            string beginning = string.Join(' ', original.Split(' ').Take(BeginningWords));
            var options = new GenerationOptions { MaxTokens = StoryTokens, Sampling = new SamplingOptions { Temperature = 0.6, TopP = 0.9, Seed = i } };
            told.Add(beginning + string.Concat(session.Generate(model.Tokenizer!.EncodePrompt(beginning), options, stop).Select(static s => s.Text)));
            originals.Add(original);
            progress?.Invoke(questions + i + 1, questions + stories);
        }

        return new AltiplanoExamResult(answers, GrammarRules.Share(told), GrammarRules.Share(originals), told);
    }

    /// <summary>Whether a reply gives the answer and little else.</summary>
    internal static bool IsTrue(AltiplanoQuestion question, string reply) =>
        new ContainsCheck([question.Answer], question.Answer.Split(' ').Length + WordsBeside).Accepts(reply);

    /// <summary>What can be answered without understanding: to "how many" the first number of the story, otherwise the name that occurs most.</summary>
    internal static string Guess(AltiplanoStory story, AltiplanoQuestion question)
    {
        string[] words = story.Text.Split([' ', '\n', '.', ',', '!', '?', '"', ';', ':'], StringSplitOptions.RemoveEmptyEntries);
        if (question.Text.Contains("how many", StringComparison.OrdinalIgnoreCase))
        {
            return words.FirstOrDefault(static w => char.IsAsciiDigit(w[0]) || Numbers.Contains(w)) ?? "";
        }

        // A word that also occurs without a capital is the beginning of a sentence and no name.
        var small = words.Where(static w => char.IsLower(w[0])).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return words.Where(w => char.IsUpper(w[0]) && !small.Contains(w)).GroupBy(static w => w.EndsWith("'s", StringComparison.Ordinal) ? w[..^2] : w, StringComparer.Ordinal)
            .OrderByDescending(static g => g.Count()).ThenBy(static g => g.Key, StringComparer.Ordinal).FirstOrDefault()?.Key ?? "";
    }
}
