using System.Text.RegularExpressions;
using System.Xml.Linq;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests;

/// <summary>Rules of docs/design.md that no compiler enforces.</summary>
public sealed class HouseRulesTests
{
    /// <summary>The rooms, first to last.</summary>
    private static readonly string[] _rooms =
        ["Puna.Tensors", "Puna.Formats", "Puna.Text", "Puna.Models", "Puna.Hub", "Puna.Runtime", "Puna.Extensions.AI", "Puna.Safety", "Puna.Training", "Puna.Evaluation", "Puna.DefaultModel", "Puna.Server",
        "Puna.Cli"];

    [Fact]
    public void ARoomUsesOnlyRoomsAboveIt()
    {
        string[] projects = [.. Directory.EnumerateFiles(Path.Combine(TestFiles.Root, "src"), "*.csproj", SearchOption.AllDirectories)];
        Assert.Equal(_rooms.Order(), projects.Select(p => Path.GetFileNameWithoutExtension(p)).Order());
        foreach (string project in projects)
        {
            int own = Array.IndexOf(_rooms, Path.GetFileNameWithoutExtension(project));
            foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
            {
                string used = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'));
                Assert.True(Array.IndexOf(_rooms, used) < own, $"{_rooms[own]} uses {used}");
            }
        }
    }

    [Fact]
    public void UnsafeCodeIsInKernelsAndMemoryOnly()
    {
        var keyword = new Regex(@"(^|[\s(])unsafe\s+(partial|static|struct|class|void|readonly|sealed|\{|delegate|ref)|\bunsafe\s*$", RegexOptions.Multiline);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(TestFiles.Root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            string path = Path.GetRelativePath(TestFiles.Root, file).Replace('\\', '/');
            if (!path.Contains("/obj/", StringComparison.Ordinal) && keyword.IsMatch(File.ReadAllText(file)))
            {
                Assert.Matches("/Kernels/|/Memory/(Native|MemoryMapped)", path);
            }
        }
    }

    [Fact]
    public void NoSourceFileIsLongerThanSixHundredLines()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(TestFiles.Root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            Assert.True(File.ReadLines(file).Count() <= 600, file);
        }
    }
}
