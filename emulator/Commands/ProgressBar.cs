using Spectre.Console;

namespace Fleet.Emulator.Commands;

/// <summary>A bar on standard error while something long runs, gone when it ends; nothing where standard error is no terminal.</summary>
internal static class ProgressBar
{
    /// <param name="what">Before the bar.</param>
    /// <param name="work">Is given whom to tell the share done, 0 to 1.</param>
    public static T Show<T>(string what, Func<Action<double>, T> work) => ShowAsync(what, tell => Task.FromResult(work(tell))).GetAwaiter().GetResult();

    /// <inheritdoc cref="Show"/>
    public static async Task<T> ShowAsync<T>(string what, Func<Action<double>, Task<T>> work)
    {
        if (Console.IsErrorRedirected) return await work(_ => { });
        var screen = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await screen.Progress().AutoClear(true).StartAsync(bars =>
        {
            var bar = bars.AddTask(Markup.Escape(what));
            return work(done => bar.Value = done * 100);
        });
    }
}
