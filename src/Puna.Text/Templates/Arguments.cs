namespace Puna.Text.Templates;

/// <summary>Arguments of a call.</summary>
internal sealed class Arguments
{
    public List<object?> Positional { get; init; } = [];

    public List<KeyValuePair<string, object?>> Named { get; init; } = [];

    /// <summary>The arguments in the order of the parameters; <see cref="Missing.Value"/> for those not given.</summary>
    /// <param name="function">The function's name, for errors.</param>
    /// <param name="required">How many of the parameters must be given.</param>
    /// <param name="names">The parameters.</param>
    /// <exception cref="TemplateException">A <c>TypeError</c>, as Python words it.</exception>
    public object?[] Bind(string function, int required, params ReadOnlySpan<string> names)
    {
        if (Positional.Count > names.Length)
        {
            string takes = names.Length == 0 ? "takes no arguments" : required == names.Length
                ? $"takes exactly {Count(names.Length)}" : $"takes at most {Count(names.Length)}";
            throw new TemplateException("TypeError", $"{function}() {takes} ({Positional.Count} given)");
        }

        object?[] bound = new object?[names.Length];
        for (int i = 0; i < bound.Length; i++)
            bound[i] = i < Positional.Count ? Positional[i] : Missing.Value;
        foreach ((string name, object? value) in Named)
        {
            int index = names.IndexOf(name);
            if (index < 0)
                throw new TemplateException("TypeError", $"{function}() got an unexpected keyword argument '{name}'");
            if (bound[index] != Missing.Value)
                throw new TemplateException("TypeError", $"{function}() got multiple values for argument '{name}'");
            bound[index] = value;
        }

        for (int i = 0; i < required; i++)
        {
            if (bound[i] == Missing.Value)
                throw new TemplateException("TypeError", $"{function}() missing 1 required positional argument: '{names[i]}'");
        }

        return bound;
    }

    private static string Count(int count) => count == 1 ? "one argument" : $"{count} arguments";
}
