using System.Reflection;

namespace Puna.Cli.Hosting;

/// <summary>What this build calls itself.</summary>
internal static class ProductInfo
{
    /// <summary>Version of the product, for example <c>0.1.0</c>.</summary>
    public static string Version { get; } = FindVersion();

    // The build appends the commit after a plus sign; scripts compare the plain version.
    private static string FindVersion() =>
        typeof(ProductInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
