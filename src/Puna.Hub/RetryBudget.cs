using System.Globalization;

namespace Puna.Hub;

/// <summary>Counts failures in a row, and waits before the next attempt: exponentially longer each time, or as long as the server asks for.</summary>
/// <param name="options">How often and how long.</param>
/// <param name="what">What is being attempted, for messages.</param>
/// <param name="resumes">Whether a later pull goes on where this one stops, for messages.</param>
/// <param name="notice">Told in one line why there will be another attempt.</param>
internal sealed class RetryBudget(HubOptions options, string what, bool resumes, Action<string> notice)
{
    /// <summary>Progress that makes a failure count as the first one again.</summary>
    public const long Advance = 1 << 20;

    private int _failures;
    private long _mark;

    /// <summary>Notes how far a download has come. Only ground never reached before counts, so that the number of attempts stays bounded.</summary>
    public void Reached(long bytes)
    {
        if (bytes - _mark < Advance) return;
        _mark = bytes;
        _failures = 0;
    }

    /// <summary>Waits for the next attempt.</summary>
    /// <exception cref="HubException">There is none: too many failures, or the server asks for too long a wait.</exception>
    public async Task WaitAsync(TransientHubException failure, CancellationToken cancellation)
    {
        _failures++;
        if (_failures >= options.MaxAttempts)
        {
            string attempts = _failures == 1 ? "1 attempt" : string.Create(CultureInfo.InvariantCulture, $"{_failures} attempts");
            string hint = resumes ? ", the next pull goes on from there" : "";
            throw new HubException(HubErrorKind.Network, $"{what}: {failure.Message}; given up after {attempts}{hint}", failure);
        }

        TimeSpan delay = Delay();
        if (failure.RetryAfter is { } asked)
        {
            if (asked > options.MaxRetryDelay)
            {
                string seconds = Math.Ceiling(asked.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                throw new HubException(HubErrorKind.Network, $"{what}: {failure.Message} and asks to come back in {seconds} s; try again then", failure);
            }

            if (asked > delay) delay = asked;
        }

        notice(string.Create(CultureInfo.InvariantCulture, $"{failure.Message}; attempt {_failures + 1} of {options.MaxAttempts} in {delay.TotalSeconds:0.#} s"));
        await Task.Delay(delay, cancellation);
    }

    private TimeSpan Delay()
    {
        double seconds = options.RetryDelay.TotalSeconds * Math.Pow(2, Math.Min(_failures - 1, 30));

        // Many machines that lost the same hub should not come back at the same moment.
        seconds *= 0.75 + (0.5 * Random.Shared.NextDouble());
        return TimeSpan.FromSeconds(Math.Min(seconds, options.MaxRetryDelay.TotalSeconds));
    }
}
