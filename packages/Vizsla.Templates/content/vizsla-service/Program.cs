// A model behind a web API:
//   dotnet run -c Release -- --model runs/pets         a run, a folder with config.json and weights, or a name in the Hub cache
//   curl --data-binary @photo.jpg http://localhost:5000/models/pets
using Vizsla.Serving;
using Vizsla.Studio;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddVizsla("pets", builder.Configuration["model"] ?? "model");

var app = builder.Build();
app.MapVizsla("/models");
app.Run();
