using Puna.Formats;
using Puna.Tensors;

namespace Puna.Training.Recipes;

/// <summary>
/// The right of one process to work in a folder, for as long as it runs: two that wrote there at once would take each other's logs and checkpoints away. The system lets go of it when a process dies however it
/// does, so that what a killed one leaves is no obstacle.
/// </summary>
internal sealed class RunClaim : IDisposable
{
    /// <summary>Name of the file that is held; it goes away with the claim.</summary>
    public const string FileName = ".run.lock";

    private readonly StagedFiles _made;
    private readonly FileStream _lock;

    private RunClaim(StagedFiles made, FileStream file) => (_made, _lock) = (made, file);

    /// <summary>Claims a folder. It is made where it is missing, and goes away again where nothing has been put into it when the claim ends.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="PunaException">Another process, or this one, is at work in it; or it cannot be written to.</exception>
    public static RunClaim Take(string folder)
    {
        var made = new StagedFiles();
        try
        {
            made.MakeFolder(folder);
            return new RunClaim(made, new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            made.Dispose();
            throw new PunaException(
                e is UnauthorizedAccessException ? $"folder {folder}: cannot be written to: {e.Message}" : $"folder {folder}: expected no other run at work in it: {e.Message}", e);
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lock.Dispose();
        _made.Dispose();
    }
}
