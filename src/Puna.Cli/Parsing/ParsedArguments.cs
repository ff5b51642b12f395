namespace Puna.Cli.Parsing;

/// <summary>The values that a command line gave to the options and arguments of a command.</summary>
internal sealed class ParsedArguments
{
    private readonly Dictionary<Option, List<object>> _values = [];
    private readonly Dictionary<string, string> _arguments = new(StringComparer.Ordinal);

    /// <summary>Whether <c>--help</c> was given; nothing after it was looked at.</summary>
    public bool IsHelp => Has(Command.Help);

    /// <summary>Whether the option was given.</summary>
    public bool Has(Option option) => _values.ContainsKey(option);

    /// <summary>The last value given, or the option's default.</summary>
    public T Get<T>(Option<T> option) => _values.TryGetValue(option, out List<object>? values) ? (T)values[^1] : option.Default;

    /// <summary>All values given, in order.</summary>
    public IReadOnlyList<T> GetAll<T>(Option<T?> option)
        where T : class => _values.TryGetValue(option, out List<object>? values) ? [.. values.Cast<T>()] : [];

    /// <summary>The argument, or null where it is absent.</summary>
    public string? Get(Argument argument) => _arguments.GetValueOrDefault(argument.Name);

    /// <summary>The argument, which the command requires.</summary>
    public string Require(Argument argument) => _arguments[argument.Name];

    /// <summary>The option's value, without which the command cannot work.</summary>
    /// <exception cref="UsageException">The option is absent.</exception>
    public T Require<T>(Option<T?> option)
        where T : class => Get(option) ?? throw new UsageException($"option --{option.Name} is missing");

    /// <summary>Refuses a pair of options that contradict each other.</summary>
    /// <exception cref="UsageException">Both are given.</exception>
    public void Exclude(Option one, Option other)
    {
        if (Has(one) && Has(other))
        {
            throw new UsageException($"options --{one.Name} and --{other.Name} exclude each other");
        }
    }

    internal void Add(Option option, object value)
    {
        if (!_values.TryGetValue(option, out List<object>? values))
        {
            _values[option] = values = [];
        }

        values.Add(value);
    }

    internal void Add(Argument argument, string value) => _arguments[argument.Name] = value;
}
