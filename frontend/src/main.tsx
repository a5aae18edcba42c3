/**
 * Where the web app begins: language, look, session, routes.
 */
import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/literata/wght.css'
import '@mantine/core/styles/default-css-variables.css'
import '@mantine/core/styles/baseline.css'
import '@mantine/core/styles/global.css'
import '@mantine/core/styles/UnstyledButton.css'
import '@mantine/core/styles/Button.css'
import '@mantine/core/styles/ActionIcon.css'
import '@mantine/core/styles/CloseButton.css'
import '@mantine/core/styles/Loader.css'
import '@mantine/core/styles/Overlay.css'
import '@mantine/core/styles/Paper.css'
import '@mantine/core/styles/Input.css'
import '@mantine/core/styles/PasswordInput.css'
import '@mantine/core/styles/SegmentedControl.css'
import '@mantine/core/styles/Alert.css'
import './ui/base.css'
import { MantineProvider } from '@mantine/core'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { App } from './App.tsx'
import { createSessionStore } from './session.ts'
import { SessionContext } from './ui/data.tsx'
import { startLanguage } from './ui/language.ts'
import { cssVariables, theme } from './ui/theme.ts'

startLanguage()

createRoot(document.getElementById('root') as HTMLElement).render(
	<StrictMode>
		<MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
			<SessionContext value={createSessionStore()}>
				<BrowserRouter>
					<App />
				</BrowserRouter>
			</SessionContext>
		</MantineProvider>
	</StrictMode>,
)
