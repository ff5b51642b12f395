namespace Puna.Fuzz;

/// <summary>All targets of this assembly.</summary>
public static class FuzzTargets
{
    /// <summary>One instance of every class that implements <see cref="IFuzzTarget"/>, by name.</summary>
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        .. typeof(FuzzTargets).Assembly.GetTypes()
            .Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IFuzzTarget)))
            .Where(type => type.GetConstructor(Type.EmptyTypes) is not null)
            .Select(type => (IFuzzTarget)Activator.CreateInstance(type)!)
            .OrderBy(target => target.Name, StringComparer.Ordinal),
    ];
}
