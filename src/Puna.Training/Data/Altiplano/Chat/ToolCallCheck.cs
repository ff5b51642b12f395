namespace Puna.Training.Data.Altiplano;

/// <summary>The reply has to be a call of the calculator, and what it computes has to be right.</summary>
/// <param name="result">The right result.</param>
public sealed class ToolCallCheck(long result) : IReplyCheck
{
    /// <inheritdoc/>
    public string Expected => $"a call of the calculator with the result {result}";

    /// <inheritdoc/>
    public bool Accepts(string reply) => Calculator.TryReadCall(reply.Trim(), out string? expression) && Calculator.TryCompute(expression, out long value) && value == result;
}
