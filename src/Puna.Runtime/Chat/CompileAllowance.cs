namespace Puna.Runtime.Chat;

/// <summary>How long the constraints of one request may still take to compile, together.</summary>
/// <param name="time">The time at first.</param>
internal sealed class CompileAllowance(TimeSpan time)
{
    /// <summary>What is left.</summary>
    public TimeSpan Left { get; private set; } = time;

    /// <summary>Takes away what a compilation took.</summary>
    public void Spend(TimeSpan took) => Left = took < Left ? Left - took : TimeSpan.Zero;
}
