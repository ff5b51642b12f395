using System.Runtime.CompilerServices;

namespace Puna.Text.Templates;

/// <summary>Counts what rendering uses up, so that no template runs on, fills the memory or overflows the stack.</summary>
internal sealed class Budget(TemplateLimits limits)
{
    private long _steps = limits.Steps;
    private long _size = limits.Size;
    private int _depth;

    /// <summary>Takes one step.</summary>
    public void Step()
    {
        if (--_steps < 0)
            throw new TemplateException("LimitError", $"template: expected at most {limits.Steps} steps, got more");
    }

    /// <summary>Takes so many characters or items, before they are made.</summary>
    public void Charge(long size)
    {
        _size -= Math.Max(0, size);
        if (size < 0 || _size < 0)
            throw new TemplateException("LimitError", $"template: expected to make at most {limits.Size} characters and items, got more");
    }

    /// <summary>The same for a size of any magnitude.</summary>
    public void Charge(System.Numerics.BigInteger size) => Charge(size > limits.Size ? limits.Size + 1 : (long)size);

    /// <summary>One macro or block deeper.</summary>
    public void Enter()
    {
        if (++_depth > limits.Depth)
            throw TooDeep();
        CheckStack();
    }

    /// <summary>And back.</summary>
    public void Leave() => _depth--;

    /// <summary>Ends recursion before the stack does.</summary>
    public static void CheckStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw TooDeep();
    }

    public static TemplateException TooDeep() => new("RecursionError", "maximum recursion depth exceeded");
}
