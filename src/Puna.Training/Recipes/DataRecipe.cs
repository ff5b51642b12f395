using System.Globalization;
using System.Text;
using System.Text.Json;
using Puna.Formats;
using Puna.Tensors;
using Puna.Training.Data;

namespace Puna.Training.Recipes;

/// <summary>
/// The recipe <c>data</c>: text files to token shards (docs/data.md). The folder has all of the result or nothing of it; work that was interrupted is begun anew.
/// </summary>
public sealed class DataRecipe : IRecipe
{
    private const string WorkFolder = ".data-work";

    /// <inheritdoc/>
    public string Name => "data";

    /// <inheritdoc/>
    public string Summary => "Turn text files into token shards: normalise, filter, remove duplicates, tokenise.";

    /// <inheritdoc/>
    /// <exception cref="OperationCanceledException">The work was stopped; the folder is as it was before.</exception>
    public string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(report);
        DataConfig config = RecipeConfig.Read(request.Config, DataJson.Default.DataConfig);
        string manifestPath = Path.Combine(request.Output, DataManifest.FileName);
        if (File.Exists(manifestPath))
        {
            return request.Resume && IsOf(manifestPath, config) ? $"{request.Output} is complete already: nothing to do"
                : throw new PunaException($"folder {request.Output}: expected one without results, got one with a {DataManifest.FileName}{(request.Resume ? " of another config" : "")}");
        }

        try
        {
            stop.ThrowIfCancellationRequested();
            DataPlan plan = DataPlan.Create(config, request.Config, request.Threads);
            return Work(plan, request.Output, report, stop);
        }
        catch (OperationCanceledException e)
        {
            throw new OperationCanceledException($"data: interrupted; nothing was left in {request.Output}, the next run begins anew", e, stop);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"folder {request.Output}: the work failed, nothing was left in it: {e.Message}", e);
        }
    }

    private static string Work(DataPlan plan, string output, IRecipeReport report, CancellationToken stop)
    {
        using var made = new StagedFiles();
        made.MakeFolder(output);
        string work = Path.Combine(output, WorkFolder);
        using RunClaim claim = RunClaim.Take(output);
        try
        {
            if (Directory.Exists(work))
            {
                // Of a run that was killed; the claim says that it is not running any more.
                Directory.Delete(work, recursive: true);
                foreach (string left in Directory.EnumerateFiles(output, $".*{ShardSet.Extension}.*.tmp").Concat(Directory.EnumerateFiles(output, $".{DataManifest.FileName}.*.tmp")))
                {
                    File.Delete(left);
                }
            }

            Directory.CreateDirectory(work);
            DataManifest manifest;
            using (var pipeline = new DataPipeline(plan, work, report, stop))
            {
                manifest = pipeline.Run(output);
            }

            made.Commit();
            return Describe(manifest, output);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    private static bool IsOf(string manifestPath, DataConfig config)
    {
        string text = JsonSerializer.Serialize(config, DataJson.Default.DataConfig);
        return JsonSerializer.Serialize(RecipeConfig.Read(manifestPath, DataJson.Default.DataManifest).Config, DataJson.Default.DataConfig) == text;
    }

    private static string Describe(DataManifest manifest, string output)
    {
        var text = new StringBuilder();
        CultureInfo plain = CultureInfo.InvariantCulture;
        foreach (ManifestSource source in manifest.Sources)
        {
            text.Append(plain, $"{PunaException.OneLine(source.Source)}: {source.Kept} of {source.Read} documents, {source.Tokens} tokens");
            foreach ((string reason, long count) in source.Dropped)
            {
                text.Append(plain, $", {reason} {count}");
            }

            text.Append('\n');
        }

        long held = manifest.Groups.Sum(static g => g.ValidationTokens);
        text.Append(plain, $"{manifest.Shards.Count} shards in {output}: {manifest.Groups.Sum(static g => g.Tokens)} tokens to train on, {held} held back");
        return text.ToString();
    }
}
