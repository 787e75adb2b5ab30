using System.Globalization;
using Fleet.Contracts;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Fleet.Terminal;

/// <summary>
/// A bar on standard error while something long runs, gone when it ends; nothing where standard error is no terminal, or where another bar
/// is shown already: work that shows its own may be part of longer work.
/// </summary>
public static class ProgressBar
{
    private static int shown;

    /// <param name="what">Before the bar.</param>
    /// <param name="work">Is given whom to tell the share done, 0 to 1.</param>
    public static T Show<T>(string what, Func<Action<double>, T> work) => ShowAsync(what, tell => Task.FromResult(work(tell))).GetAwaiter().GetResult();

    /// <inheritdoc cref="Show"/>
    /// <param name="simulated">Virtual time that the work passes through: shown as virtual seconds in a second of the wall's.</param>
    public static T Show<T>(string what, Seconds simulated, Func<Action<double>, T> work) => ShowAsync(what, tell => Task.FromResult(work(tell)), simulated).GetAwaiter().GetResult();

    /// <inheritdoc cref="Show"/>
    public static async Task<T> ShowAsync<T>(string what, Func<Action<double>, Task<T>> work, Seconds? simulated = null)
    {
        if (Console.IsErrorRedirected || Interlocked.Exchange(ref shown, 1) == 1) return await work(_ => { });
        try
        {
            return await OnScreen(what, work, simulated);
        }
        finally
        {
            shown = 0;
        }
    }

    private static async Task<T> OnScreen<T>(string what, Func<Action<double>, Task<T>> work, Seconds? simulated)
    {
        var screen = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        ProgressColumn[] columns = [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()];
        return await screen.Progress().AutoClear(true).Columns(simulated is { } time ? [.. columns, new RateColumn(time)] : columns).StartAsync(bars =>
        {
            var bar = bars.AddTask(Markup.Escape(what));
            return work(done => bar.Value = done * 100);
        });
    }

    /// <summary>Virtual seconds a second, from the begin of the work.</summary>
    /// <param name="elapsed">Null before the begin.</param>
    public static string Rate(Seconds simulated, double done, TimeSpan? elapsed)
    {
        if (elapsed is not { TotalSeconds: > 0 } known || !(done > 0)) return "";
        var rate = simulated.Value * done / known.TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture, $"{(rate >= 100 ? Math.Round(rate) : rate):#,0.##} s/s");
    }

    private sealed class RateColumn(Seconds simulated) : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(Rate(simulated, task.Percentage / 100, task.ElapsedTime));
    }
}
