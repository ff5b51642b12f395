using System.Globalization;
using System.Text.Json;
using Puna.Formats;
using Puna.Tensors;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Recipes;

/// <summary>
/// The recipe <c>altiplano</c>: stories, conversations and pictures of the simulated world as files (docs/altiplano.md). The folder has all of the result or nothing of it.
/// </summary>
public sealed class AltiplanoRecipe : IRecipe
{
    private const string StoriesName = "stories.jsonl";
    private const string ChatsName = "chats.jsonl";
    private const string PicturesName = "pictures.jsonl";
    private const string PicturesFolder = "pictures";
    private const string ConfigName = "altiplano.json";
    private const string VarietyName = "variety.json";

    // Every picture is an open file until all are there.
    private const int MostPictures = 500;
    private const int VarietyStories = 10_000;

    /// <inheritdoc/>
    public string Name => "altiplano";

    /// <inheritdoc/>
    public string Summary => "Write stories, chats and pictures of a simulated world, with the truth behind them.";

    /// <inheritdoc/>
    /// <exception cref="OperationCanceledException">The work was stopped; the folder is as it was before.</exception>
    public string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(report);
        AltiplanoConfig config = RecipeConfig.Read(request.Config, AltiplanoJson.Default.AltiplanoConfig);
        Require(request.Config, "stories", config.Stories, int.MaxValue);
        Require(request.Config, "chats", config.Chats, int.MaxValue);
        Require(request.Config, "pictures", config.Pictures, MostPictures);
        if (config.Stories + (long)config.Chats + config.Pictures == 0)
        {
            throw new PunaException($"config {request.Config}: expected stories, chats or pictures to write, got none");
        }

        foreach (string name in (ReadOnlySpan<string>)[StoriesName, ChatsName, PicturesName])
        {
            if (File.Exists(Path.Combine(request.Output, name)))
            {
                return request.Resume && IsOf(Path.Combine(request.Output, ConfigName), config) ? $"{request.Output} is complete already: nothing to do"
                    : throw new PunaException($"folder {request.Output}: expected one without results, got one with {name}{(request.Resume ? " of another config" : "")}");
            }
        }

        try
        {
            return Work(config, request.Output, report, stop);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"folder {request.Output}: the work failed, nothing was left in it: {e.Message}", e);
        }
    }

    private static string Work(AltiplanoConfig config, string output, IRecipeReport report, CancellationToken stop)
    {
        using var files = new StagedFiles();
        files.MakeFolder(output);
        var lines = new AltiplanoLines();
        var meter = new VarietyMeter();
        if (config.Stories > 0)
        {
            FileStream stories = files.Create(Path.Combine(output, StoriesName));
            for (int i = 0; i < config.Stories; i++)
            {
                Step(report, "stories", i, config.Stories, stop);
                AltiplanoStory story = StoryTeller.Tell(config.Seed, AltiplanoSplit.Index(config.Split, i));
                lines.Story(stories, story);
                if (i < VarietyStories)
                {
                    meter.Add(story.Text);
                }
            }
        }

        if (config.Chats > 0)
        {
            FileStream chats = files.Create(Path.Combine(output, ChatsName));
            for (int i = 0; i < config.Chats; i++)
            {
                Step(report, "chats", i, config.Chats, stop);
                lines.Chat(chats, AltiplanoChat.Create(config.Seed, AltiplanoSplit.Index(config.Split, i)));
            }
        }

        if (config.Pictures > 0)
        {
            FileStream pictures = files.Create(Path.Combine(output, PicturesName));
            files.MakeFolder(Path.Combine(output, PicturesFolder));
            for (int i = 0; i < config.Pictures; i++)
            {
                Step(report, "pictures", i, config.Pictures, stop);
                AltiplanoPicture picture = AltiplanoPictures.Render(config.Seed, AltiplanoSplit.Index(config.Split, i));
                string name = $"{PicturesFolder}/{picture.Index.ToString("D8", CultureInfo.InvariantCulture)}.ppm";
                files.Create(Path.Combine(output, name)).Write(picture.ToPpm());
                lines.Picture(pictures, picture, name);
            }
        }

        string text = $"{config.Stories} stories, {config.Chats} chats and {config.Pictures} pictures in {output}";
        if (config.Stories > 0)
        {
            VarietyReport variety = meter.Report();
            files.Create(Path.Combine(output, VarietyName)).Write(JsonSerializer.SerializeToUtf8Bytes(variety, AltiplanoJson.Default.VarietyReport));
            text += string.Create(
                CultureInfo.InvariantCulture,
                $"\nvariety of {variety.Texts} stories: {variety.DistinctSentences:P1} of {variety.Sentences} sentences distinct, {variety.UniqueFirstSentences:P1} begin like no other, distinct-4 {variety.Distinct4:P1}, {variety.SharedEightGrams:P1} of runs of eight words shared");
        }

        files.Create(Path.Combine(output, ConfigName)).Write(JsonSerializer.SerializeToUtf8Bytes(config, AltiplanoJson.Default.AltiplanoConfig));
        files.Commit();
        return text;
    }

    /// <summary>Whether results are those of a config, which lies beside them.</summary>
    private static bool IsOf(string path, AltiplanoConfig config) => File.Exists(path)
        && JsonSerializer.Serialize(RecipeConfig.Read(path, AltiplanoJson.Default.AltiplanoConfig), AltiplanoJson.Default.AltiplanoConfig) == JsonSerializer.Serialize(config, AltiplanoJson.Default.AltiplanoConfig);

    private static void Step(IRecipeReport report, string stage, int done, int total, CancellationToken stop)
    {
        if (done % 256 == 0)
        {
            stop.ThrowIfCancellationRequested();
            report.Progress(stage, done, total);
        }
    }

    private static void Require(string path, string key, int value, int most)
    {
        if (value < 0 || value > most)
        {
            throw new PunaException($"config {path}: {key}: expected 0 to {most}, got {value}");
        }
    }
}
